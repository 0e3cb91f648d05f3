import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { SELDOM, useScene } from './testing/scene.js';

const scene = useScene();

test('sessions move to a worker that joins until both have about the same, and then stay', async () => {
  // As in a cluster, workers report their load several times between two sweeps.
  const placing = await scene.startPlacing({ ...SELDOM, 'watch-workers': 100, rebalance: 1_000 });
  const first = await scene.startWorker();
  const refs = await scene.createSessions(12);
  await Promise.all(refs.map((ref) => scene.ask(placing, ref)));
  await scene.ownedBy(first, refs);
  const second = await scene.startWorker();
  await waitFor(() => second.fences.length >= 5, { what: 'sessions have moved' });
  // Sweeps that find nothing to do.
  await scene.sweepsDone('rebalance', 3);
  expect(Math.abs(first.fences.length - second.fences.length)).toBeLessThanOrEqual(2);
  const epochs = (await scene.ownership.readMany(refs)).map((owner) => owner?.epoch ?? 0);
  expect(Math.max(...epochs), 'each moved at most once').toBe(2);
});
