import { setTimeout as delay } from 'node:timers/promises';
import type { SessionRef } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { PLACEMENT_QUEUE, type PlacementQueue, QUEUE_PREFIX } from './queue.js';
import { useScene } from './testing/scene.js';

/** BullMQ's: ids of jobs by when they are due, ms * 0x1000. */
const DELAYED = `${QUEUE_PREFIX}:${PLACEMENT_QUEUE}:delayed`;

const scene = useScene();

test('room goes to each tenant in turn, and within a tenant to the sessions that have waited for the longest', async () => {
  const { queue } = await scene.startPlacing();
  const many = await askOneByOne(queue, scene.tenantId, 20);
  const few = await askOneByOne(queue, await scene.createTenant('Other'), 2);
  const all = [...many, ...few];
  await waits(all.length, { forMs: 4_000 });
  await scene.startWorker({ capacity: 12 });
  const placed = async () => {
    const owners = await Promise.all(all.map((ref) => scene.ownerOf(ref)));
    return all.filter((_, index) => owners[index] !== undefined);
  };
  await waitFor(async () => (await placed()).length >= 12, { what: 'the worker is full' });
  // The last places may go to others: until a heartbeat says what the worker took, the next look gives turns as well.
  expect(await placed()).toEqual(expect.arrayContaining([...many.slice(0, 4), ...few]));
});

test('a waiting request that cannot be read keeps no other one from room', async () => {
  const { queue } = await scene.startPlacing();
  const refs = await askOneByOne(queue, scene.tenantId, 2);
  await waits(refs.length);
  const { redis } = scene;
  await redis.set(`${QUEUE_PREFIX}:${PLACEMENT_QUEUE}:odd`, 'x');
  await redis.zadd(`${QUEUE_PREFIX}:${PLACEMENT_QUEUE}:delayed`, (Date.now() + 100_000) * 0x1000, 'odd');
  await scene.ownedBy(await scene.startWorker(), refs);
});

/** Each is older than the next one. */
async function askOneByOne(queue: PlacementQueue, tenantId: string, count: number): Promise<SessionRef[]> {
  const refs = Array.from({ length: count }, (_, index) => ({ tenantId, sessionId: `s${index}` }));
  for (const ref of refs) {
    await scene.sessions.create(ref);
    await queue.enqueue({ ...ref, reason: 'create', avoid: [] });
    await delay(2);
  }
  return refs;
}

/**
 * Resolves when `count` requests have each found no room at least once, and none of them is tried again by itself within
 * `forMs`: one that is being tried does not get the room that a look gives.
 */
async function waits(count: number, { forMs = 0 } = {}): Promise<void> {
  const isWaiting = async () => {
    const delayed = await scene.redis.zrange(DELAYED, '0', '-1', 'WITHSCORES');
    const firstAt = Number(delayed[1]) / 0x1000;
    return delayed.length === 2 * count && firstAt > Date.now() + forMs;
  };
  await waitFor(isWaiting, { what: 'requests that wait', timeoutMs: 60_000 });
}
