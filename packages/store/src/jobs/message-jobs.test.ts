import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { LossyPort } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { connectRedis } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { JOB, type JobStores, jobStores, TENANT } from '../testing/jobs.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { KEPT_MS } from './job-keys.js';
import { JobWakeUps } from './job-wake-ups.js';
import { MessageJobs } from './message-jobs.js';

const fixture = useRedis();
let stores: JobStores;

beforeEach(async () => {
  stores = await jobStores(fixture.redis);
});

const named = (jobId: string) => ({ tenantId: TENANT, jobId });
const record = (jobId = JOB.jobId) => keys.jobRecord(TENANT, jobId);

/** Has the time of a job pass: what is stored of it, and its place in an index, become older. */
async function age(jobId: string, ms: number): Promise<void> {
  await fixture.redis.hincrby(record(jobId), 'expiresAt', -ms);
  for (const index of [keys.jobsActive(TENANT), keys.jobsEnded(TENANT)]) {
    if ((await fixture.redis.zscore(index, jobId)) !== null) await fixture.redis.zincrby(index, -ms, jobId);
  }
}

const sizeOf = (field: string) => fixture.redis.hget(keys.jobSizes(TENANT), field).then(Number);

describe('a job that is stored', () => {
  test('is due at once, and has its messages and recipients in order', async () => {
    await stores.store(JOB, 3, { name: 'Reminders', pace: 20, onError: 'stop' });
    expect(await stores.jobs.get(JOB)).toMatchObject({
      ...{ ...JOB, sessionId: 'shop', name: 'Reminders', pace: 20, onError: 'stop' },
      ...{ state: 'scheduled', total: 3, next: 0, sent: 0, isSending: false },
    });
    expect(await stores.jobs.results(JOB, 1, 10)).toEqual([{ to: '15550001001' }, { to: '15550001002' }]);
    const { taken } = await stores.wakeUps.take({ count: 5, forMs: 1_000 });
    expect(taken.map(({ ref }) => ref)).toEqual([JOB]);
  });

  test('is not due before its time', async () => {
    await stores.store(JOB, 1, { at: Date.now() + 3_600_000 });
    const { taken, nextInMs = 0 } = await stores.wakeUps.take({ count: 5, forMs: 1_000 });
    expect(taken).toEqual([]);
    expect(nextInMs).toBeGreaterThan(3_500_000);
    const { at = 0, expiresAt = 0 } = { ...(await stores.jobs.get(JOB)) };
    expect(expiresAt - at).toBe(24 * 3_600_000);
    expect(await stores.runs.claim(JOB, 'shop', 'run')).toMatchObject({ outcome: 'later' });
  });

  test('is not stored again by a second call', async () => {
    await stores.store(JOB, 3);
    const run = await stores.claimed();
    await stores.runs.begin(run);
    await stores.runs.end(run, 0, { outcome: 'sent' });
    await stores.store(JOB, 3);
    expect(await stores.jobs.get(JOB)).toMatchObject({ sent: 1, total: 3 });
    expect(await fixture.redis.llen(keys.jobTexts(TENANT, JOB.jobId))).toBe(3);
  });

  test('is refused for a session that does not exist, and leaves nothing', async () => {
    await expect(stores.store(JOB, 1, { sessionId: 'other' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await stores.jobs.get(JOB)).toBeUndefined();
    expect(await fixture.redis.zcard(keys.jobsDue)).toBe(0);
  });
});

describe('the bounds', () => {
  test('refuse a job beyond the number of active ones that a tenant may have', async () => {
    await fixture.redis.hset(keys.tenantLimits(TENANT), 'jobs', '2');
    await stores.store(named('job_1'), 1);
    await stores.store(named('job_2'), 1);
    await expect(stores.store(named('job_3'), 1)).rejects.toMatchObject({
      code: 'TOO_MANY_JOBS',
      details: { resource: 'jobs', limit: 2, used: 2 },
    });
    expect(await stores.jobs.get(named('job_3'))).toBeUndefined();
    await stores.jobs.change(named('job_1'), 'cancel');
    await stores.store(named('job_3'), 1);
  });

  test('let the oldest results go before a job is refused for its bytes', async () => {
    await stores.store(named('job_1'), 10);
    const bytes = await sizeOf('*');
    expect(await sizeOf('job_1')).toBe(bytes);
    await stores.jobs.change(named('job_1'), 'cancel');
    const kept = await sizeOf('*');
    expect(kept).toBeLessThan(bytes);
    await fixture.redis.hset(keys.tenantLimits(TENANT), 'jobBytes', bytes);
    await stores.store(named('job_2'), 10);
    expect(await stores.jobs.get(named('job_1'))).toBeUndefined();
    expect(await sizeOf('*')).toBe(bytes);
    await expect(stores.store(named('job_3'), 1)).rejects.toMatchObject({
      code: 'TOO_MANY_JOBS',
      details: { resource: 'jobBytes', limit: bytes, used: bytes },
    });
    expect(await fixture.redis.zrange(keys.jobs(TENANT), 0, '-1')).toEqual(['job_2']);
  });

  test('forget what ended seven days ago, and active jobs whose time passed as long ago', async () => {
    await stores.store(named('job_1'), 1);
    await stores.store(named('job_2'), 1);
    await stores.jobs.change(named('job_1'), 'cancel');
    await age('job_1', KEPT_MS + 1);
    await age('job_2', KEPT_MS + 48 * 3_600_000);
    await stores.store(named('job_3'), 1);
    expect(await fixture.redis.zrange(keys.jobs(TENANT), 0, '-1')).toEqual(['job_3']);
    expect(await sizeOf('*')).toBe(await sizeOf('job_3'));
    const left = await fixture.redis.keys(`wf:{${TENANT}}:job*_[12]`);
    expect(left).toEqual([]);
  });

  test('give every key of a job an end', async () => {
    await stores.store(JOB, 1);
    const ofJob = [record(), keys.jobTexts(TENANT, JOB.jobId), keys.jobResults(TENANT, JOB.jobId)];
    for (const key of ofJob) expect(await fixture.redis.pttl(key)).toBeGreaterThan(KEPT_MS);
    await stores.jobs.change(JOB, 'cancel');
    for (const key of [record(), keys.jobResults(TENANT, JOB.jobId)]) {
      expect(await fixture.redis.pttl(key)).toBeLessThanOrEqual(KEPT_MS);
    }
    expect(await fixture.redis.exists(keys.jobTexts(TENANT, JOB.jobId))).toBe(0);
  });

  test('replace indexes of another type', async () => {
    for (const key of [keys.jobsActive, keys.jobsEnded, keys.jobs, keys.jobSizes]) {
      await fixture.redis.set(key(TENANT), 'damaged');
    }
    await fixture.redis.set(keys.jobsDue, 'damaged');
    await stores.store(JOB, 1);
    expect(await stores.jobs.get(JOB)).toMatchObject({ state: 'scheduled' });
  });
});

test('an answer of Redis that is lost stores no job twice', async () => {
  const lossy = await LossyPort.open(fixture.server.port);
  const url = `redis://127.0.0.1:${lossy.port}`;
  const redis = connectRedis({ url, role: 'command', name: 'lossy', logger });
  const jobs = new MessageJobs(redis, { limits: DEFAULT_TENANT_LIMITS, wakeUps: new JobWakeUps(redis) });
  const messages = ['a', 'b'].map((text) => ({ to: '15550001001', text }));
  try {
    // After this Redis knows the scripts.
    await jobs.create(named('job_0'), { sessionId: 'shop', messages });
    lossy.loseAnswer(record(), 'cut');
    expect(await jobs.create(JOB, { sessionId: 'shop', messages })).toMatchObject({ total: 2 });
    expect(await fixture.redis.lrange(keys.jobTexts(TENANT, JOB.jobId), 0, '-1')).toEqual(['a', 'b']);
    const { taken } = await stores.wakeUps.take({ count: 9, forMs: 1_000 });
    expect(taken.map(({ ref }) => ref.jobId)).toEqual(['job_0', 'job_1']);
  } finally {
    redis.disconnect();
    await lossy.close();
  }
});

describe('a list', () => {
  const all = () => true;

  test('has the newest first, in pages that lead to each other', async () => {
    const ids = ['job_1', 'job_2', 'job_3', 'job_4', 'job_5'];
    for (const id of ids) await stores.store(named(id), 1);
    // Made in the same ms.
    for (const id of ids.slice(1, 4)) {
      await fixture.redis.hset(record(id), 'createdAt', '1000');
      await fixture.redis.zadd(keys.jobs(TENANT), 1_000, id);
    }
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await stores.jobs.page(TENANT, { limit: 2, cursor, matches: all });
      listed.push(...page.jobs.map(({ jobId }) => jobId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(listed).toEqual(['job_5', 'job_1', 'job_4', 'job_3', 'job_2']);
  });

  test('has only what matches, and refuses a cursor of another form', async () => {
    for (const id of ['job_1', 'job_2', 'job_3']) await stores.store(named(id), 1);
    await stores.jobs.change(named('job_2'), 'pause');
    const page = await stores.jobs.page(TENANT, { limit: 1, matches: ({ state }) => state === 'paused' });
    expect(page.jobs.map(({ jobId }) => jobId)).toEqual(['job_2']);
    expect(page.nextCursor).toBeUndefined();
    await expect(stores.jobs.page(TENANT, { limit: 1, cursor: '*', matches: all })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('a removed session', () => {
  test('takes its jobs with it, and no others', async () => {
    const directory = new SessionDirectory(fixture.redis);
    await directory.create({ tenantId: TENANT, sessionId: 'other' });
    await stores.store(named('job_1'), 2);
    await stores.store(named('job_2'), 2, { sessionId: 'other' });
    const run = await stores.claimed(named('job_1'));
    await stores.runs.begin(run);
    await directory.purge({ tenantId: TENANT, sessionId: 'shop' });
    expect(await fixture.redis.keys(`wf:{${TENANT}}:job*_1`)).toEqual([]);
    expect((await stores.jobs.page(TENANT, { limit: 5, matches: () => true })).jobs).toHaveLength(1);
    expect(await sizeOf('*')).toBe(await sizeOf('job_2'));
    expect(await stores.runs.end(run, 0, { outcome: 'sent' })).toEqual({ state: 'lost' });
    expect(await fixture.redis.exists(record('job_1'))).toBe(0);
  });

  test('does not pass a job that was missed on to a session of the same id', async () => {
    const directory = new SessionDirectory(fixture.redis);
    await stores.store(JOB, 2);
    const missed = await fixture.redis.hgetall(record());
    await directory.purge({ tenantId: TENANT, sessionId: 'shop' });
    await fixture.redis.hset(record(), missed);
    await directory.create({ tenantId: TENANT, sessionId: 'shop' });
    await fixture.redis.hset(record(), 'sessionMade', '1');
    expect(await stores.runs.claim(JOB, 'shop', 'run')).toEqual({ outcome: 'ended' });
    expect(await stores.jobs.get(JOB)).toMatchObject({
      state: 'failed',
      error: { code: 'SESSION_NOT_FOUND' },
    });
  });
});

describe('a wake-up that is lost', () => {
  const restore = () => stores.wakeUps.restore(new AbortController().signal);
  const taken = async () =>
    (await stores.wakeUps.take({ count: 9, forMs: 60_000 })).taken.map(({ ref }) => ref.jobId);

  beforeEach(() => fixture.redis.sadd(keys.tenants, TENANT, 'tnt_none', 'tnt_damaged'));

  test('is made again, and those that are there stay as they are', async () => {
    await stores.store(named('job_1'), 1);
    await stores.store(named('job_2'), 1, { at: Date.now() + 3_600_000 });
    await stores.store(named('job_3'), 1);
    await stores.jobs.change(named('job_3'), 'cancel');
    await fixture.redis.set(keys.jobsActive('tnt_damaged'), 'damaged');
    expect(await taken()).toEqual(['job_1', 'job_3']);
    await fixture.redis.zrem(keys.jobsDue, `${TENANT}/job_1`, `${TENANT}/job_3`);
    await restore();
    expect(await taken()).toEqual(['job_1']);
  });

  test('is looked for once in a while, by all processes together', async () => {
    await restore();
    await stores.store(JOB, 1);
    await fixture.redis.del(keys.jobsDue);
    await restore();
    expect(await taken()).toEqual([]);
    expect(await fixture.redis.pttl(keys.jobsChecked)).toBeGreaterThan(0);
  });
});
