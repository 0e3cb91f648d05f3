import { expect, test } from 'vitest';
import { useScene } from './testing/scene.js';

const scene = useScene();

test.each(['die', 'crash'] as const)(
  'the sessions of a worker that had to %s go to another one, under a new epoch',
  async (how) => {
    await scene.startPlacing();
    const first = await scene.startWorker();
    const refs = await scene.createSessions(20);
    await scene.ownedBy(first, refs);

    const second = await scene.startWorker();
    // A lifeline is missed only if a look has seen it open. Otherwise the lease decides.
    await scene.sweepsDone('watch-workers', 2);
    await scene.end(how, first);
    await scene.ownedBy(second, refs);
    const owners = await scene.ownership.readMany(refs);
    expect(owners.map((owner) => owner?.epoch)).toEqual(refs.map(() => 2));
  },
);

test('the sessions of a dead worker show why no worker takes them', async () => {
  await scene.startPlacing();
  const only = await scene.startWorker();
  const ref = await scene.createSession();
  await scene.ownedBy(only, [ref]);
  await scene.end('die', only);
  await scene.shows(ref, 'no worker is running');
});
