import { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { PLACEMENT_QUEUE, QUEUE_PREFIX, readRequest } from './queue.js';
import { useScene } from './testing/scene.js';
import { connect } from './testing/test-worker.js';

const scene = useScene();
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };

test('a request of another release is read as far as it makes sense', () => {
  expect(readRequest({ ...ref, reason: 'merge', avoid: 'wrk_a', expectPrevious: 7 })).toEqual({
    ...ref,
    reason: 'restart',
    avoid: [],
  });
  expect(readRequest({ ...ref, reason: 'drain', avoid: ['wrk_a', 1], to: 'wrk_b' })).toEqual({
    ...ref,
    reason: 'drain',
    avoid: ['wrk_a'],
    to: 'wrk_b',
  });
  expect(readRequest({ tenantId: 'tnt_a' })).toBeUndefined();
  expect(readRequest([])).toBeUndefined();
});

test('a request that cannot be read keeps no other one from being served', async () => {
  const connection = connect(scene.server.url, 'queue');
  const queue = new Queue(PLACEMENT_QUEUE, { connection, prefix: QUEUE_PREFIX });
  try {
    await queue.addBulk([{}, { tenantId: '{', sessionId: '}' }, []].map((data) => ({ name: 'odd', data })));
    await scene.startPlacing();
    const worker = await scene.startWorker();
    await scene.ownedBy(worker, await scene.createSessions(3));
    expect(await queue.getFailedCount()).toBe(0);
  } finally {
    await queue.close();
    connection.disconnect();
  }
});

test('a session whose record cannot be read keeps no other one from being found', async () => {
  const refs = await scene.createSessions(3);
  const [odd, ...others] = refs;
  await scene.redis.hset(`wf:{${scene.tenantId}}:session:${odd?.sessionId}`, 'status', 'paused');
  await scene.startPlacing();
  const worker = await scene.startWorker();
  await scene.ownedBy(worker, others);
});
