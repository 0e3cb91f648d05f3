import { waitFor } from '@wafleet/testkit';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../redis/session-ref.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { EventLog } from './event-log.js';

const fixture = useRedis();
const tenantId = 'tnt_a';
const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;
const HOUR = 60 * 60 * 1000;
/** Returns a new writer each time, since a writer checks the age only from time to time. */
const hourLog = () => new EventLog(fixture.redis, { maxAgeMs: HOUR });
const owned = () => ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');

async function keptSeqs(): Promise<number[]> {
  const entries = await fixture.redis.xrange(keys.log(tenantId), '-', '+');
  return entries.map(([id]) => Number(id.split('-')[1]));
}

/** Rewrites all marks as if they had been made earlier, and makes the next one due. */
async function age(ms: number): Promise<void> {
  const marks = await fixture.redis.lrange(keys.logMarks(tenantId), 0, -1);
  const [seconds] = await fixture.redis.time();
  await fixture.redis.del(keys.logMarks(tenantId));
  await fixture.redis.rpush(
    keys.logMarks(tenantId),
    ...marks.map((mark) => mark.replace(/^\d+/, (at) => String(Number(at) - ms))),
  );
  await fixture.redis.hset(keys.logHead(tenantId), 'markAt', Number(seconds) * 1000);
}

describe('a log bounded by length', () => {
  test('keeps about its bound of events and continues to count', async () => {
    const log = new EventLog(fixture.redis, { maxLength: 500 });
    const fence = await owned();
    for (let batch = 0; batch < 20; batch++) {
      await log.append(
        fence,
        Array.from({ length: 100 }, (_, index) => numbered(batch * 100 + index)),
      );
    }
    for (let n = 0; n < 70; n++) await log.append(fence, [numbered(n)]);
    const kept = await keptSeqs();
    expect(kept.length).toBeGreaterThanOrEqual(500);
    expect(kept.length).toBeLessThan(700);
    expect(kept).toEqual(Array.from(kept, (_, index) => 2070 - kept.length + 1 + index));
  });
});

describe('a log bounded by age', () => {
  test('loses what is older with an append, and nothing else', async () => {
    const fence = await owned();
    await hourLog().append(fence, [1, 2, 3].map(numbered));
    await age(HOUR / 2);
    await hourLog().append(fence, [4, 5].map(numbered));
    expect(await keptSeqs()).toEqual([1, 2, 3, 4, 5]);
    await age(HOUR / 2);
    await hourLog().append(fence, [numbered(6)]);
    expect(await keptSeqs()).toEqual([4, 5, 6]);
    // All marks are too old: the newest of them counts, and none of them stays.
    await age(2 * HOUR);
    await hourLog().append(fence, [numbered(7)]);
    expect(await keptSeqs()).toEqual([7]);
    expect(await fixture.redis.llen(keys.logMarks(tenantId))).toBe(1);
  });

  test('loses what is older across epochs', async () => {
    const fence = await owned();
    await hourLog().append(fence, [1, 2].map(numbered));
    await age(HOUR);
    await fixture.redis.hset(keys.logHead(tenantId), 'life', 'earlier');
    const [first] = await hourLog().append(fence, [numbered(3)]);
    const { events, isContinuous } = await hourLog().read(tenantId, { after: undefined, count: 10 });
    expect(events.map(({ position }) => position)).toEqual([first]);
    expect(isContinuous).toBe(false);
  });

  test('makes few marks, and looks at its age only when one is due', async () => {
    const fence = await owned();
    for (let n = 0; n < 50; n++) await hourLog().append(fence, [numbered(n)]);
    expect(await fixture.redis.llen(keys.logMarks(tenantId))).toBe(1);
    const markAt = Number(await fixture.redis.hget(keys.logHead(tenantId), 'markAt'));
    const [seconds] = await fixture.redis.time();
    expect(markAt - Number(seconds) * 1000).toBeLessThanOrEqual(HOUR / 32 + 1000);
    for (let n = 0; n < 100; n++) {
      await age(HOUR / 32);
      await hourLog().append(fence, [numbered(n)]);
    }
    expect(await fixture.redis.llen(keys.logMarks(tenantId))).toBeLessThanOrEqual(33);
    expect((await keptSeqs()).length).toBeLessThanOrEqual(33);
  });

  test('continues when the clock was set back', async () => {
    const fence = await owned();
    await hourLog().append(fence, [numbered(1)]);
    await age(-5 * HOUR);
    await fixture.redis.hset(keys.logHead(tenantId), 'markAt', 9e12);
    await hourLog().append(fence, [numbered(2)]);
    expect(Number(await fixture.redis.hget(keys.logHead(tenantId), 'markAt'))).toBeLessThan(9e12);
    expect(await keptSeqs()).toEqual([1, 2]);
  });

  test('is emptied when its tenant stops appending, and stays complete for a reader of everything', async () => {
    const maxAgeMs = 200;
    const log = new EventLog(fixture.redis, { maxAgeMs });
    const fence = await owned();
    await log.append(fence, [numbered(1)]);
    const [last] = await log.append(fence, [numbered(2)]);
    const gone = async () => (await fixture.redis.exists(keys.log(tenantId), keys.logMarks(tenantId))) === 0;
    await waitFor(gone, { what: 'the end of the log' });
    expect(await log.read(tenantId, { after: last, count: 10 })).toMatchObject({
      events: [],
      isContinuous: true,
      head: last,
    });
    expect(await log.read(tenantId, { after: undefined, count: 10 })).toMatchObject({ isContinuous: false });
    expect(await log.append(fence, [numbered(3)])).toEqual([{ epoch: last?.epoch, seq: 3 }]);
    expect(await log.read(tenantId, { after: last, count: 10 })).toMatchObject({ isContinuous: true });
  });

  test('keeps an event for its whole age, however busy its tenant is', async () => {
    const maxAgeMs = 400;
    const log = new EventLog(fixture.redis, { maxAgeMs });
    const fence = await owned();
    const begunAt = new Map<number, number>();
    let oldest = 1;
    while (oldest === 1) {
      const begun = performance.now();
      const [position] = await log.append(fence, [numbered(1)]);
      begunAt.set(position?.seq ?? 0, begun);
      [oldest = 1] = await keptSeqs();
    }
    // The youngest deleted event; Redis counts whole milliseconds.
    expect(performance.now() - (begunAt.get(oldest - 1) ?? Number.NaN)).toBeGreaterThanOrEqual(maxAgeMs - 1);
  });
});

describe('a log with a long past', () => {
  const OLD = 12_000;
  /** The most that an append deletes: 2,000 entries of whole nodes, or a part of one more node. */
  const AT_ONCE = 2_100;
  const log = () => new EventLog(fixture.redis, { maxLength: 2 * OLD, maxAgeMs: HOUR });
  const noted = () => fixture.redis.hget(keys.logHead(tenantId), 'trimTo');

  /** `OLD` events that are too old now, and after them 3 that are half as old. */
  async function past(): Promise<Fence> {
    const fence = await owned();
    for (let n = 0; n < OLD; n += 500) {
      const events = Array.from({ length: 500 }, (_, index) => numbered(n + index));
      if (n === OLD - 500) await age(0);
      await log().append(fence, events);
    }
    await age(HOUR / 2);
    await log().append(fence, [1, 2, 3].map(numbered));
    await age(HOUR / 2);
    return fence;
  }

  /** Appends until nothing is left to be trimmed. Returns the number of appends. */
  async function trimmedBy(fence: Fence, writer: EventLog): Promise<number> {
    let [first = 0] = await keptSeqs();
    for (let appends = 1; ; appends++) {
      await writer.append(fence, [numbered(appends)]);
      const [next = 0] = await keptSeqs();
      expect(next - first).toBeLessThanOrEqual(AT_ONCE);
      first = next;
      if ((await noted()) === null) return appends;
    }
  }

  test('loses it in parts, each append a bounded one, and nothing that is young enough', async () => {
    const appends = await trimmedBy(await past(), log());
    expect(appends).toBeGreaterThan(OLD / AT_ONCE);
    expect(appends).toBeLessThanOrEqual(OLD / 1_800 + 2);
    expect(await keptSeqs()).toEqual(Array.from({ length: 3 + appends }, (_, index) => OLD + 1 + index));
  });

  test('loses what became too old in the meantime with it', async () => {
    const fence = await past();
    await log().append(fence, [numbered(4)]);
    const before = await noted();
    await age(HOUR / 2);
    await log().append(fence, [numbered(5)]);
    expect(await noted()).not.toBe(before);
    await trimmedBy(fence, log());
    expect((await keptSeqs())[0]).toBe(OLD + 4);
  });

  test('is trimmed by other writers as well, and forgotten when the stream is gone', async () => {
    const fence = await past();
    await log().append(fence, [numbered(4)]);
    expect(await noted()).not.toBeNull();
    await fixture.redis.del(keys.log(tenantId));
    await log().append(fence, [numbered(5)]);
    expect(await noted()).toBeNull();
    expect(await keptSeqs()).toEqual([OLD + 5]);
  });
});

describe('a log with damaged data in Redis', () => {
  const byteLog = () => new EventLog(fixture.redis, { maxAgeMs: HOUR });

  test.each([
    ['the limit of its bytes', () => fixture.redis.hset(keys.tenantLimits(tenantId), 'logBytes', 'many')],
    ['its head', () => fixture.redis.hset(keys.logHead(tenantId), 'seq', 'many')],
    ['the epoch in its head', () => fixture.redis.hset(keys.logHead(tenantId), 'epoch', 'many')],
    ['the list of its bytes', () => fixture.redis.set(keys.logBytes(tenantId), 'no list')],
    ['the list of its age', () => fixture.redis.set(keys.logMarks(tenantId), 'no list')],
  ])('%s takes each batch once', async (_, damage) => {
    const fence = await owned();
    await byteLog().append(fence, [numbered(1)], { batch: 1 });
    await damage();
    for (const n of [2, 3, 4]) {
      await fixture.redis.hset(keys.logHead(tenantId), { markAt: 0, bytesMarkAt: 0 });
      const append = () => byteLog().append(fence, [numbered(n)], { batch: n });
      // Retries a failed append, as the outbox does.
      await append().catch(append);
    }
    const { events } = await byteLog().read(tenantId, { after: undefined, count: 10 });
    expect(events.map(({ body }) => JSON.parse(body.toString()).n)).toEqual([1, 2, 3, 4]);
  });
});
