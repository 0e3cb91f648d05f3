import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { SELDOM, useScene } from './testing/scene.js';

const scene = useScene();

test.each(['drain', 'rebalance'] as const)(
  'a request to %s moves a session from a live worker',
  async (reason) => {
    const placing = await scene.startPlacing(SELDOM);
    const first = await scene.startWorker();
    const ref = await scene.createSession();
    await scene.ask(placing, ref);
    await scene.ownedBy(first, [ref]);
    await scene.ask(placing, ref, reason);

    const second = await scene.startWorker();
    await placing.queue.enqueue({ ...ref, reason, expectPrevious: first.id, avoid: [] });
    await scene.ownedBy(second, [ref]);
    expect(first.fences.length).toBe(0);
    expect((await scene.ownership.read(ref))?.epoch).toBe(2);
  },
);

test('a request to move a session from an owner it does not have any more does nothing', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const worker = await scene.startWorker();
  const moved = await scene.createSession('moved');
  const marker = await scene.createSession('marker');
  await scene.ask(placing, moved);
  await scene.ownedBy(worker, [moved]);
  await scene.startWorker({ release: '2.0.0' });
  await placing.queue.enqueue({ ...moved, reason: 'rebalance', expectPrevious: 'wrk_gone', avoid: [] });
  await scene.ask(placing, marker, 'rebalance');
  await waitFor(() => scene.ownerOf(marker), { what: 'the later request is served' });
  expect(await scene.ownerOf(moved)).toBe(worker.id);
});

test('a session that is being linked does not move', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const first = await scene.startWorker();
  const linking = await scene.createSession('linking');
  const marker = await scene.createSession('marker');
  await scene.ask(placing, linking);
  await scene.ownedBy(first, [linking]);
  await waitFor(async () => (await scene.sessions.get(linking))?.status === 'open', { what: 'it is open' });
  await scene.sessions.setStatus(first.fenceOf(linking), { status: 'awaiting_link' });
  const second = await scene.startWorker();
  const move = { reason: 'rebalance', expectPrevious: first.id, to: second.id, avoid: [] } as const;
  await placing.queue.enqueue({ ...linking, ...move });
  await scene.ask(placing, marker, 'rebalance');
  await waitFor(() => scene.ownerOf(marker), { what: 'the later request is served' });
  expect(await scene.ownerOf(linking)).toBe(first.id);
});

test('a session whose worker died while it was to be moved goes to any worker', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const first = await scene.startWorker();
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.ownedBy(first, [ref]);
  await scene.end('die', first);
  const second = await scene.startWorker();
  const move = { reason: 'rebalance', expectPrevious: first.id, to: 'wrk_gone', avoid: [] } as const;
  await placing.queue.enqueue({ ...ref, ...move });
  await scene.ownedBy(second, [ref]);
});
