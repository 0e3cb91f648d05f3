import { beforeEach, describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { JOB, type JobStores, jobStores, TENANT } from '../testing/jobs.js';
import { useRedis } from '../testing/redis-fixture.js';
import { type MessageOutcome, RUN_HOLDS_MS } from './job-runs.js';

const fixture = useRedis();
const record = keys.jobRecord(TENANT, JOB.jobId);
const error = { code: 'OUTCOME_UNKNOWN', message: 'No answer.' } as const;
const refused = { code: 'WHATSAPP_REFUSED', message: 'Refused.', details: { code: 463 } } as const;
let stores: JobStores;

beforeEach(async () => {
  stores = await jobStores(fixture.redis);
});

const job = () => stores.jobs.get(JOB);
const states = async () =>
  (await stores.jobs.results(JOB, 0, 100)).map(({ outcome }) => outcome?.state ?? '-').join(' ');

/** Has the run that holds the job end, as after its time. */
const endHold = () => fixture.redis.hset(record, 'until', '1');
const expire = () => fixture.redis.hset(record, 'expiresAt', '1');
/** Has the job be due, as after its wait. */
const endWait = () => fixture.redis.hset(record, 'nextAt', '1');

async function step(run: Awaited<ReturnType<JobStores['claimed']>>, outcome: MessageOutcome) {
  const next = await stores.runs.begin(run);
  if (next.outcome !== 'send') throw new Error(`the run is to ${next.outcome}`);
  return stores.runs.end(run, next.index, outcome);
}

describe('a run', () => {
  test('sends the messages in order, and the job is done after the last', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    expect(await stores.runs.begin(run)).toMatchObject({
      ...{ outcome: 'send', index: 0, waits: 0 },
      text: '{"to":"15550001000","text":"0"}',
    });
    expect(await job()).toMatchObject({ state: 'running', isSending: true, startedAt: expect.any(Number) });
    expect(await stores.runs.end(run, 0, { outcome: 'sent' })).toEqual({ state: 'running', nextInMs: 0 });
    expect(await job()).toMatchObject({ sent: 1, isSending: false });
    expect(await step(run, { outcome: 'failed', error: refused })).toEqual({ state: 'done' });
    expect(await job()).toMatchObject({ state: 'done', sent: 1, failed: 1, endedAt: expect.any(Number) });
    expect(await stores.runs.release(run)).toBeUndefined();
    const [, second] = await stores.jobs.results(JOB, 0, 2);
    expect(second?.outcome).toEqual({ state: 'failed', at: expect.any(Number), error: refused });
  });

  test('of two edges has the job alone', async () => {
    await stores.store(JOB, 2);
    await stores.claimed(JOB, 'run-1');
    const other = await stores.runs.claim(JOB, 'shop', 'run-2');
    const { inMs } = { inMs: 0, ...other };
    expect(other.outcome).toBe('later');
    expect(inMs).toBeGreaterThan(0);
    expect(inMs).toBeLessThanOrEqual(RUN_HOLDS_MS);
    // The answer to the first claim was lost.
    expect(await stores.runs.claim(JOB, 'shop', 'run-1')).toMatchObject({ outcome: 'claimed' });
  });

  test('that lost the job changes nothing any more', async () => {
    await stores.store(JOB, 2);
    const slow = await stores.claimed(JOB, 'run-1');
    await stores.runs.begin(slow);
    await endHold();
    const next = await stores.claimed(JOB, 'run-2');
    expect(await stores.runs.end(slow, 0, { outcome: 'failed', error: refused })).toEqual({ state: 'lost' });
    expect(await stores.runs.begin(slow)).toEqual({ outcome: 'stop' });
    expect(await stores.runs.renew(slow)).toBe(false);
    await stores.runs.release(slow);
    expect(await stores.runs.renew(next)).toBe(true);
    expect(await states()).toBe('- -');
    // What it was sending may have been sent, so it is sent again, under the same index.
    expect(await stores.runs.begin(next)).toMatchObject({ outcome: 'send', index: 0 });
  });

  test('waits between two messages as the pace says', async () => {
    await stores.store(JOB, 2, { pace: 2 });
    const run = await stores.claimed();
    const { nextInMs = 0 } = await step(run, { outcome: 'sent' });
    expect(nextInMs).toBeGreaterThan(25_000);
    expect(nextInMs).toBeLessThanOrEqual(30_000);
    expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
    expect(await stores.runs.release(run)).toBeGreaterThan(25_000);
    expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toMatchObject({ outcome: 'later' });
  });

  test('stops at the first error if the job says so', async () => {
    await stores.store(JOB, 3, { onError: 'stop' });
    const run = await stores.claimed();
    await step(run, { outcome: 'sent' });
    expect(await step(run, { outcome: 'failed', error: refused })).toEqual({ state: 'failed' });
    expect(await job()).toMatchObject({ state: 'failed', error: refused, sent: 1, failed: 1, next: 2 });
    expect(await states()).toBe('sent failed -');
  });
});

describe('a message', () => {
  test('waits with its job while nothing can be done, without limit', async () => {
    await stores.store(JOB, 1);
    const run = await stores.claimed();
    for (let count = 1; count <= 20; count += 1) {
      await step(run, { outcome: 'wait', error: { ...error, code: 'NO_WORKER' }, inMs: 60_000 });
      expect(await job()).toMatchObject({ waitsFor: { code: 'NO_WORKER' }, nextAt: expect.any(Number) });
      expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
      await endWait();
    }
    expect(await stores.runs.begin(run)).toMatchObject({ outcome: 'send', index: 0, waits: 20 });
  });

  test('that may have been sent is tried a number of times', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    for (let count = 1; count <= 6; count += 1) {
      await step(run, { outcome: 'retry', error, inMs: 1_000 });
      await endWait();
    }
    expect(await stores.runs.begin(run)).toEqual({ outcome: 'exhausted', index: 0 });
    await stores.runs.end(run, 0, { outcome: 'unknown', error });
    expect(await states()).toBe('unknown -');
    // The next one has all of its tries.
    expect(await stores.runs.begin(run)).toMatchObject({ outcome: 'send', index: 1, waits: 0 });
  });

  test('has not failed if an earlier try may have sent it', async () => {
    await stores.store(JOB, 3);
    const run = await stores.claimed();
    await step(run, { outcome: 'retry', error, inMs: 1_000 });
    await endWait();
    await step(run, { outcome: 'failed', error: refused });
    const [first] = await stores.jobs.results(JOB, 0, 1);
    expect(first?.outcome).toMatchObject({ state: 'unknown', error: { code: 'OUTCOME_UNKNOWN' } });
    // A try after which nothing was done does not count as one.
    await step(run, { outcome: 'wait', error, inMs: 1_000 });
    await endWait();
    await step(run, { outcome: 'failed', error: refused });
    expect(await states()).toBe('unknown failed -');
    expect(await job()).toMatchObject({ unknown: 1, failed: 1, next: 2 });
  });

  test('counts as tried if its edge died', async () => {
    await stores.store(JOB, 1);
    for (let count = 1; count <= 6; count += 1) {
      await stores.runs.begin(await stores.claimed(JOB, `run-${count}`));
      await endHold();
    }
    const last = await stores.claimed(JOB, 'run-7');
    expect(await stores.runs.begin(last)).toEqual({ outcome: 'exhausted', index: 0 });
  });

  test('is not sent, and the job fails, if nothing can be done any more', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    expect(await step(run, { outcome: 'abort', error: refused })).toEqual({ state: 'failed' });
    expect(await job()).toMatchObject({ state: 'failed', error: refused, next: 0 });
  });
});

describe('an expired job', () => {
  test('fails, and says what it waited for', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    await step(run, { outcome: 'wait', error: { ...error, code: 'SESSION_NOT_OPEN' }, inMs: 1 });
    await stores.runs.release(run);
    await expire();
    expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toEqual({ outcome: 'ended' });
    expect(await job()).toMatchObject({
      state: 'failed',
      error: { code: 'JOB_EXPIRED', details: { waitedFor: { code: 'SESSION_NOT_OPEN' } } },
    });
    expect(await states()).toBe('- -');
  });

  test('sends nothing more in a run that goes on', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    await step(run, { outcome: 'sent' });
    await expire();
    expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
    expect(await stores.runs.release(run)).toBe(0);
    await stores.runs.claim(JOB, 'shop', 'run-2');
    expect(await job()).toMatchObject({ state: 'failed', sent: 1 });
  });

  test('does not say that a message was not sent that may have been', async () => {
    await stores.store(JOB, 2);
    await step(await stores.claimed(), { outcome: 'retry', error, inMs: 1 });
    await endHold();
    await expire();
    await stores.runs.claim(JOB, 'shop', 'run-2');
    expect(await states()).toBe('unknown -');
    expect(await job()).toMatchObject({ state: 'failed', unknown: 1 });
  });
});

test('a job of a tenant that is being removed sends nothing more', async () => {
  await stores.store(JOB, 3);
  const run = await stores.claimed();
  await step(run, { outcome: 'sent' });
  await fixture.redis.hset(keys.tenantRemoval(TENANT), 'since', '1');
  expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
  await stores.runs.release(run);
  expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toEqual({ outcome: 'ended' });
  expect(await job()).toMatchObject({ state: 'failed', sent: 1, error: { code: 'SESSION_NOT_FOUND' } });
});

describe('a cancelled job', () => {
  test('counts the message that was being sent', async () => {
    await stores.store(JOB, 3);
    const run = await stores.claimed();
    await step(run, { outcome: 'sent' });
    await stores.runs.begin(run);
    expect(await stores.jobs.change(JOB, 'cancel')).toMatchObject({
      ...{ state: 'cancelled', sent: 1, isSending: true },
    });
    expect(await stores.runs.end(run, 1, { outcome: 'sent' })).toEqual({ state: 'cancelled' });
    expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
    expect(await job()).toMatchObject({ state: 'cancelled', sent: 2, isSending: false });
    expect(await states()).toBe('sent sent -');
  });

  test('of an edge that died says that the message may have been sent', async () => {
    await stores.store(JOB, 2);
    await stores.runs.begin(await stores.claimed());
    await stores.jobs.change(JOB, 'cancel');
    expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toMatchObject({ outcome: 'later' });
    await endHold();
    expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toEqual({ outcome: 'ended' });
    expect(await job()).toMatchObject({ state: 'cancelled', unknown: 1, isSending: false });
  });

  test('says the same of a message that waits to be tried again', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    await step(run, { outcome: 'retry', error, inMs: 1_000 });
    expect(await stores.jobs.change(JOB, 'cancel')).toMatchObject({ state: 'cancelled', unknown: 1 });
  });

  test('stays as it is', async () => {
    await stores.store(JOB, 1);
    await stores.jobs.change(JOB, 'cancel');
    expect(await stores.jobs.change(JOB, 'cancel')).toMatchObject({ state: 'cancelled' });
    for (const change of ['pause', 'resume'] as const) {
      await expect(stores.jobs.change(JOB, change)).rejects.toMatchObject({
        ...{ code: 'JOB_ENDED', details: { state: 'cancelled' } },
      });
    }
    await expect(stores.jobs.change({ ...JOB, jobId: 'job_2' }, 'cancel')).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
  });
});

describe('a paused job', () => {
  test('sends nothing until it is resumed', async () => {
    await stores.store(JOB, 2);
    const run = await stores.claimed();
    await stores.runs.begin(run);
    expect(await stores.jobs.change(JOB, 'pause')).toMatchObject({ state: 'paused', isSending: true });
    await stores.runs.end(run, 0, { outcome: 'sent' });
    expect(await stores.runs.begin(run)).toEqual({ outcome: 'stop' });
    await stores.runs.release(run);
    expect(await stores.runs.claim(JOB, 'shop', 'run-2')).toMatchObject({ outcome: 'later' });
    expect(await stores.jobs.change(JOB, 'resume')).toMatchObject({ state: 'running', sent: 1 });
    expect(await stores.runs.begin(await stores.claimed(JOB, 'run-3'))).toMatchObject({ index: 1 });
  });

  test('that had not begun is scheduled again', async () => {
    await stores.store(JOB, 1, { at: Date.now() + 3_600_000 });
    await stores.jobs.change(JOB, 'pause');
    expect(await stores.jobs.change(JOB, 'resume')).toMatchObject({ state: 'scheduled' });
    const { taken, nextInMs = 0 } = await stores.wakeUps.take({ count: 1, forMs: 1_000 });
    expect(taken).toEqual([]);
    expect(nextInMs).toBeGreaterThan(3_500_000);
  });

  test('fails when it expires', async () => {
    await stores.store(JOB, 1);
    await stores.jobs.change(JOB, 'pause');
    await expire();
    expect(await stores.runs.claim(JOB, 'shop', 'run')).toEqual({ outcome: 'ended' });
    expect(await job()).toMatchObject({ state: 'failed', error: { code: 'JOB_EXPIRED' } });
  });
});

test('a job that waits goes on at once when it is resumed', async () => {
  await stores.store(JOB, 1);
  const run = await stores.claimed();
  await step(run, { outcome: 'wait', error: { ...error, code: 'NO_WORKER' }, inMs: 60_000 });
  await stores.runs.release(run);
  const resumed = await stores.jobs.change(JOB, 'resume');
  expect(resumed.waitsFor).toBeUndefined();
  await stores.claimed(JOB, 'run-2');
});

test('large details of an error are left out', async () => {
  await stores.store(JOB, 1);
  const large = {
    code: 'WHATSAPP_REFUSED',
    message: 'Refused.',
    details: { text: 'x'.repeat(5_000) },
  } as const;
  await step(await stores.claimed(), { outcome: 'failed', error: large });
  const [result] = await stores.jobs.results(JOB, 0, 1);
  expect(result?.outcome?.error).toEqual({ code: 'WHATSAPP_REFUSED', message: 'Refused.' });
});

test('a record of another type ends at its next look', async () => {
  await fixture.redis.set(record, 'damaged');
  expect(await job()).toBeUndefined();
  expect(await stores.runs.sessionOf(JOB)).toBeUndefined();
  expect(await stores.runs.claim(JOB, 'shop', 'run')).toEqual({ outcome: 'ended' });
});

test('a job goes on though its results and a message are lost', async () => {
  await stores.store(JOB, 2);
  await fixture.redis.set(keys.jobResults(TENANT, JOB.jobId), 'damaged');
  await fixture.redis.del(keys.jobTexts(TENANT, JOB.jobId));
  const run = await stores.claimed();
  expect(await stores.runs.begin(run)).toMatchObject({ outcome: 'send', index: 0, text: '' });
  await stores.runs.end(run, 0, { outcome: 'failed', error });
  expect(await step(run, { outcome: 'sent' })).toEqual({ state: 'done' });
  expect(await job()).toMatchObject({ state: 'done', sent: 1, failed: 1 });
  expect(await stores.jobs.results(JOB, 0, 5)).toEqual([]);
});

test('a result that cannot be read counts as none, and a list that cannot be read is empty', async () => {
  await stores.store(JOB, 3);
  const list = keys.jobResults(TENANT, JOB.jobId);
  await fixture.redis.lset(list, 0, '15550001000\nlost\n1\n');
  await fixture.redis.lset(list, 1, '15550001001\nsent\nyesterday\n');
  await fixture.redis.lset(list, 2, '15550001002\nfailed\n1\n{"code":"OF_A_LATER_RELEASE","message":""}');
  expect(await stores.jobs.results(JOB, 0, 5)).toEqual([
    { to: '15550001000' },
    { to: '15550001001' },
    { to: '15550001002', outcome: { state: 'failed', at: 1 } },
  ]);
  await fixture.redis.set(keys.jobs(TENANT), 'damaged');
  expect((await stores.jobs.page(TENANT, { limit: 5, matches: () => true })).jobs).toEqual([]);
});
