import { beforeEach, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { JobWakeUps } from './job-wake-ups.js';

const fixture = useRedis();
let wakeUps: JobWakeUps;

beforeEach(() => {
  wakeUps = new JobWakeUps(fixture.redis);
});

const ref = (tenantId: string, jobId: string) => ({ tenantId, jobId });
const take = async (count: number, options: { perTenant?: number; running?: Map<string, number> } = {}) => {
  const { taken } = await wakeUps.take({ count, forMs: 60_000, ...options });
  return taken.map(({ ref: { tenantId, jobId } }) => `${tenantId}/${jobId}`);
};
const isDueIn = async (member: string) => {
  const score = await fixture.redis.zscore(keys.jobsDue, member);
  return score === null ? undefined : Number(score) - Date.now();
};

test('each job is taken once', async () => {
  for (const id of ['1', '2', '3']) await wakeUps.put(ref('a', id), 0);
  const taken = await Promise.all(Array.from({ length: 6 }, () => take(1)));
  expect(taken.flat().sort()).toEqual(['a/1', 'a/2', 'a/3']);
});

test('a tenant with one job waits for no more than one of each other tenant', async () => {
  for (let id = 1; id <= 50; id += 1) await wakeUps.put(ref('many', String(id)), 0);
  await wakeUps.put(ref('one', '1'), 0);
  expect((await take(2)).sort()).toEqual(['many/1', 'one/1']);
  // Its job is due again, after all those of the other one.
  await wakeUps.put(ref('one', '1'), 0);
  await wakeUps.put(ref('new', '1'), 0);
  expect(await take(1)).toEqual(['new/1']);
});

test('no tenant gets more than its share of those who take jobs', async () => {
  for (const id of ['1', '2', '3']) {
    await wakeUps.put(ref('a', id), 0);
    await wakeUps.put(ref('b', id), 0);
  }
  const running = new Map([['a', 1]]);
  expect((await take(10, { perTenant: 2, running })).sort()).toEqual(['a/1', 'b/1', 'b/2']);
  expect(await take(10, { perTenant: 2, running: new Map([...running, ['b', 2]]) })).toEqual(['a/2']);
});

test('the process that took a job says when it is due next', async () => {
  await wakeUps.put(ref('a', '1'), 0);
  const [wakeUp] = (await wakeUps.take({ count: 1, forMs: 60_000 })).taken;
  const later = await wakeUps.put(ref('a', '1'), 3_600_000, wakeUp?.score);
  expect(await isDueIn('a/1')).toBeGreaterThan(3_500_000);
  expect(await wakeUps.put(ref('a', '1'), undefined, later?.score)).toBeUndefined();
  expect(await isDueIn('a/1')).toBeUndefined();
});

test('a job that a client has changed meanwhile stays due', async () => {
  await wakeUps.put(ref('a', '1'), 0);
  const [wakeUp] = (await wakeUps.take({ count: 1, forMs: 60_000 })).taken;
  await wakeUps.put(ref('a', '1'), 0);
  await wakeUps.put(ref('a', '1'), 3_600_000, wakeUp?.score);
  await wakeUps.put(ref('a', '1'), undefined, wakeUp?.score);
  expect(await take(1)).toEqual(['a/1']);
});

test('a job is not put off by a process that has not taken it', async () => {
  await wakeUps.put(ref('a', '1'), 0);
  await wakeUps.put(ref('a', '1'), 3_600_000);
  expect(await take(1)).toEqual(['a/1']);
});
