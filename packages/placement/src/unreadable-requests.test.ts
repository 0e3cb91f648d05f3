import { createLogger } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { readRequest } from './placement-request.js';
import { PLACEMENT_QUEUE, PlacementQueue, QUEUE_PREFIX } from './queue.js';
import { connect } from './testing/connect.js';
import { useScene } from './testing/scene.js';

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

const READABLE = { name: 'create', data: '{}', opts: '{}', timestamp: '1', delay: '0', priority: '0' };

test.each([
  ['data that is not JSON', { ...READABLE, data: '{' }],
  ['options that are not JSON', { ...READABLE, opts: '{' }],
  ['a parent that is not JSON', { ...READABLE, parent: '{' }],
  ['a count that is not a number', { ...READABLE, ats: 'many' }],
  ['another type', undefined],
])('a job with %s is dropped, and keeps no other one from being served', async (_what, fields) => {
  const { redis } = scene;
  const connection = connect(scene.server.url, 'queue');
  const queue = new Queue(PLACEMENT_QUEUE, { connection, prefix: QUEUE_PREFIX });
  try {
    const key = queue.toKey('odd');
    const keptOut = queue.toKey('de:odd');
    if (fields === undefined) await redis.set(key, 'x');
    else await redis.hset(key, { ...fields, deid: 'odd' });
    await redis.set(keptOut, 'odd');
    await redis.lpush(queue.toKey('wait'), 'odd');
    await scene.startPlacing();
    const worker = await scene.startWorker();
    await scene.ownedBy(worker, await scene.createSessions(3));
    await waitFor(async () => (await redis.exists(key)) === 0, { what: 'the job is gone' });
    await waitFor(async () => (await redis.exists(keptOut)) === 0, { what: 'other jobs may take its place' });
    const places = [
      await redis.lrange(queue.toKey('active'), 0, -1),
      await redis.lrange(queue.toKey('wait'), 0, -1),
    ];
    expect(places.flat()).not.toContain('odd');
  } finally {
    await queue.close();
    connection.disconnect();
  }
});

test('a delayed job that cannot be read keeps no other one from being hurried', async () => {
  const { redis } = scene;
  const connection = connect(scene.server.url, 'queue');
  const queue = new Queue(PLACEMENT_QUEUE, { connection, prefix: QUEUE_PREFIX });
  const logger = createLogger({ app: 'test', level: 'silent' });
  const placements = new PlacementQueue({ connection, logger });
  try {
    await queue.add('create', ref, { delay: 600_000, jobId: 'good' });
    await redis.hset(queue.toKey('odd'), { ...READABLE, data: '{' });
    await redis.zadd(queue.toKey('delayed'), 1, 'odd');
    await placements.hurry(10);
    expect(await redis.zrange(queue.toKey('delayed'), 0, '-1')).toEqual(['odd']);
  } finally {
    await placements.close();
    await queue.close();
    connection.disconnect();
  }
});
