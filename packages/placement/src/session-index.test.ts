import { SessionIndex, SessionPages } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { useScene } from './testing/scene.js';

const scene = useScene();

/** How often Redis ran a command so far, by its name. */
async function callsOf(command: string): Promise<number> {
  const stats = await scene.redis.info('commandstats');
  const [, calls = '0'] = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats) ?? [];
  return Number(calls);
}

async function readsOfEntries(): Promise<number> {
  return (await callsOf('hgetall')) + (await callsOf('smembers')) + (await callsOf('sscan'));
}

test('a worker that drains makes no placer read all sessions', async () => {
  await scene.startPlacing({ 'watch-workers': 50, reconcile: 600_000, rebalance: 600_000 });
  const worker = await scene.startWorker();
  const refs = await scene.createSessions(1_000);
  await Promise.all(refs.map((ref) => worker.open(ref)));
  await scene.sweepsDone('watch-workers', 2);
  const before = await readsOfEntries();
  await worker.announceDrain();
  await scene.sweepsDone('watch-workers', 4);
  // What the queue reads of its own jobs counts as well. One look at all sessions would be a thousand.
  expect((await readsOfEntries()) - before).toBeLessThan(refs.length);
});

test('sessions are found by their index alone, of a dead worker and without one', async () => {
  await scene.startPlacing({ 'watch-workers': 100, reconcile: 300, rebalance: 600_000 });
  const worker = await scene.startWorker();
  const refs = await scene.createSessions(5);
  await scene.ownedBy(worker, refs);
  const index = new SessionIndex(scene.redis);
  expect(await index.ownedBy(worker.id, 100)).toHaveLength(5);
  expect(await index.unowned(100)).toEqual([]);
  await scene.end('die', worker);
  const next = await scene.startWorker();
  await scene.ownedBy(next, refs);
  await waitFor(async () => !(await index.owners()).includes(worker.id), {
    what: 'the dead worker is forgotten',
  });
  expect(await index.ownedBy(next.id, 100)).toHaveLength(5);
});

test('a tenant with many sessions that want a worker hides none of another tenant', async () => {
  await scene.createSessions(300);
  const tenantIds = ['tnt_one', 'tnt_two', 'tnt_three', 'tnt_four', 'tnt_five', 'tnt_six'];
  for (const tenantId of tenantIds) await scene.sessions.create({ tenantId, sessionId: 'only' });
  const found = await new SessionIndex(scene.redis).unowned(7);
  expect(found.map(({ tenantId }) => tenantId).sort()).toEqual([...tenantIds, scene.tenantId].sort());
});

test('an index that is lost is rebuilt by the slow comparison of all sessions', async () => {
  await scene.startPlacing({ 'watch-workers': 600_000, reconcile: 100, rebalance: 600_000 });
  const worker = await scene.startWorker();
  const refs = await scene.createSessions(3);
  await scene.ownedBy(worker, refs);
  const index = new SessionIndex(scene.redis);
  await scene.redis.del('wf:{workers}:owners', `wf:{workers}:tenants:${worker.id}`);
  await scene.redis.del(`wf:{${scene.tenantId}}:owned:${worker.id}`);
  await waitFor(async () => (await index.ownedBy(worker.id, 100)).length === 3, {
    what: 'the index is back',
  });
  expect(await index.owners()).toContain(worker.id);
});

test('an order of sessions that has the right number of wrong entries is put right by the slow comparison', async () => {
  await scene.startPlacing({ 'watch-workers': 600_000, reconcile: 100, rebalance: 600_000 });
  const worker = await scene.startWorker();
  const refs = await scene.createSessions(4);
  await scene.ownedBy(worker, refs);
  const pages = new SessionPages(scene.redis, scene.sessions);
  const order = async () => {
    const { sessions } = await pages.page(scene.tenantId, { limit: 10 });
    return sessions.map(({ sessionId }) => sessionId);
  };
  const right = await order();
  const key = `wf:{${scene.tenantId}}:session-order`;
  const [first = '', second = ''] = right;
  await scene.redis.zadd(key, 'XX', String(2 ** 50), first);
  await waitFor(async () => (await order()).join() === right.join(), { what: 'the moment is right again' });
  await scene.redis.zrem(key, second);
  await scene.redis.zadd(key, 1, 'no-session');
  await waitFor(async () => (await order()).join() === right.join(), { what: 'all are listed again' });
  expect(await scene.redis.zrange(key, 0, '-1')).toEqual(right);
});

test('a purge, a release and a restart leave each session in the index where it belongs', async () => {
  const worker = await scene.startWorker();
  const index = new SessionIndex(scene.redis);
  const [gone, released, resting] = await scene.createSessions(3);
  if (gone === undefined || released === undefined || resting === undefined) throw new Error('three');
  const idsOf = async (found: Promise<{ sessionId: string }[]>) =>
    (await found).map(({ sessionId }) => sessionId).sort();
  for (const ref of [gone, released, resting]) await worker.open(ref);
  expect(await idsOf(index.unowned(10))).toEqual([]);
  await scene.sessions.setStatus(worker.fenceOf(resting), { status: 'failed' });
  for (const ref of [released, resting]) await scene.ownership.release(worker.fenceOf(ref));
  expect(await idsOf(index.unowned(10))).toEqual([released.sessionId]);
  expect(await idsOf(index.ownedBy(worker.id, 10))).toEqual([gone.sessionId]);
  await scene.sessions.purge(gone);
  await scene.sessions.requeue(resting, { reason: 'restart' });
  expect(await idsOf(index.ownedBy(worker.id, 10))).toEqual([]);
  expect(await idsOf(index.unowned(10))).toEqual([released.sessionId, resting.sessionId].sort());
});
