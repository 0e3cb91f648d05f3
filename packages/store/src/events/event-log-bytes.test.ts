import type { EventPosition } from '@wafleet/contract';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../redis/session-ref.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { EventLog } from './event-log.js';

const fixture = useRedis();
const tenantId = 'tnt_a';
const MIB = 1024 * 1024;
const owned = () => ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');

const live = (n: number, bytes = 100) =>
  ({ event: 'call', body: JSON.stringify({ n, filler: 'x'.repeat(bytes) }) }) as const;
const history = (n: number, bytes = 256 * 1024) =>
  ({ event: 'call', body: JSON.stringify({ h: n, filler: 'x'.repeat(bytes) }), isHistory: true }) as const;

async function kept(): Promise<{ live: number[]; history: number[]; bytes: number }> {
  const entries = await fixture.redis.xrange(keys.log(tenantId), '-', '+');
  const numbers = (field: string) =>
    entries.flatMap(([, [, message = '']]) => {
      const found = new RegExp(`"${field}":(\\d+)`).exec(message);
      return found === null ? [] : [Number(found[1])];
    });
  return {
    live: numbers('n'),
    history: numbers('h'),
    bytes: entries.reduce((sum, [, fields]) => sum + (fields[1] ?? '').length, 0),
  };
}

/** Everything that a client reads after a position: events by their seq, `!` for a reported gap. */
async function replay(log: EventLog, after: EventPosition | undefined, count = 7): Promise<string> {
  const seen: string[] = [];
  let from = after;
  for (;;) {
    const page = await log.read(tenantId, { after: from, count });
    if (!page.isContinuous) seen.push('!');
    seen.push(...page.events.map(({ position }) => String(position.seq)));
    if (page.events.length === 0) return seen.join(' ');
    from = page.end;
  }
}

async function append(log: EventLog, fence: Fence, events: Parameters<EventLog['append']>[1]): Promise<void> {
  for (const event of events) await log.append(fence, [event]);
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('a log bounded by bytes', () => {
  test('keeps about its bound in bytes of the newest events, and continues to count', async () => {
    await new TenantLimitTable(fixture.redis).change(tenantId, { logBytes: 4 * MIB });
    const log = new EventLog(fixture.redis);
    const fence = await owned();
    await append(
      log,
      fence,
      range(200).map((n) => live(n, 64 * 1024)),
    );
    const { live: numbers, bytes } = await kept();
    expect(bytes).toBeGreaterThan(3.5 * MIB);
    expect(bytes).toBeLessThan(4.5 * MIB);
    expect(numbers).toEqual(range(200).slice(-numbers.length));
    expect(await replay(log, { epoch: (await log.position(tenantId)).epoch, seq: 1 })).toBe(
      ['!', ...numbers].join(' '),
    );
  });

  test('follows a limit that is lowered', async () => {
    const limits = new TenantLimitTable(fixture.redis);
    const log = new EventLog(fixture.redis, { logBytes: 8 * MIB });
    const fence = await owned();
    await append(
      log,
      fence,
      range(100).map((n) => live(n, 64 * 1024)),
    );
    expect((await kept()).live).toHaveLength(100);
    await limits.change(tenantId, { logBytes: 4 * MIB });
    await append(
      log,
      fence,
      range(20).map((n) => live(100 + n, 64 * 1024)),
    );
    expect((await kept()).bytes).toBeLessThan(4.5 * MIB);
  });

  test('counts the small events of several writers too, though not with each append', async () => {
    const fence = await owned();
    const logs = range(2).map(() => new EventLog(fixture.redis, { logBytes: MIB }));
    for (const n of range(3_000)) await logs[n % 2]?.append(fence, [live(n, 1_000)]);
    const { live: numbers, bytes } = await kept();
    expect(bytes).toBeGreaterThan(0.9 * MIB);
    expect(bytes).toBeLessThan(1.25 * MIB);
    expect(numbers).toEqual(range(3_000).slice(-numbers.length));
  });

  test('counts an event that could not be appended once only', async () => {
    const fence = await owned();
    const log = new EventLog(fixture.redis, { logBytes: 4 * MIB });
    await log.append(fence, [live(1)]);
    const stranger = { ...fence, worker: 'wrk_b' };
    for (const n of range(50)) {
      await expect(log.append(stranger, [live(n, 100_000)])).rejects.toThrow();
    }
    for (const n of range(30)) await log.append(fence, [live(n, 100_000)]);
    expect(Number(await fixture.redis.hget(keys.logHead(tenantId), 'bytes'))).toBeLessThan(3.1 * MIB);
    expect((await kept()).live).toHaveLength(31);
  });

  test('keeps no list of bytes that outgrows it', async () => {
    const log = new EventLog(fixture.redis, { logBytes: 4 * MIB });
    const fence = await owned();
    await append(
      log,
      fence,
      range(400).map((n) => live(n, 64 * 1024)),
    );
    expect(await fixture.redis.llen(keys.logBytes(tenantId))).toBeLessThanOrEqual(40);
  });
});

describe('history', () => {
  test('has a share of its own, and displaces no live event', async () => {
    await new TenantLimitTable(fixture.redis).change(tenantId, { historyBytes: 2 * MIB });
    const log = new EventLog(fixture.redis, { maxLength: 100, logBytes: 4 * MIB });
    const fence = await owned();
    await append(
      log,
      fence,
      range(90).map((n) => live(n)),
    );
    await append(
      log,
      fence,
      range(300).map((n) => history(n)),
    );
    const { live: numbers, history: parts } = await kept();
    expect(numbers).toEqual(range(90));
    expect(parts.length).toBeGreaterThanOrEqual(6);
    expect(parts.length).toBeLessThanOrEqual(8);
    expect(parts).toEqual(range(300).slice(-parts.length));
  });

  test('in many small parts displaces no live event either', async () => {
    const log = new EventLog(fixture.redis, { maxLength: 200 });
    const fence = await owned();
    await log.append(
      fence,
      range(150).map((n) => live(n)),
    );
    for (let batch = 0; batch < 30; batch += 1) {
      await log.append(
        fence,
        range(50).map((n) => history(batch * 50 + n, 10)),
      );
    }
    const { live: numbers, history: parts } = await kept();
    expect(numbers).toEqual(range(150));
    expect(parts.length).toBeLessThanOrEqual(200);
  });

  test('that is gone shows as a gap, where it was, and everything else is read', async () => {
    const log = new EventLog(fixture.redis, { historyBytes: MIB });
    const fence = await owned();
    const [start] = await log.append(fence, [live(1)]);
    // 2 and 3 are history, 4 is live, and so on.
    for (const n of range(6)) {
      await append(log, fence, [history(n), history(n), live(n)]);
    }
    // 1 MiB holds the last three parts: 15, 17 and 18 … of 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18.
    const { history: parts } = await kept();
    expect(parts).toEqual([5, 6, 6]);
    const all = '! 4 ! 7 ! 10 ! 13 ! 15 16 17 18 19';
    expect(await replay(log, start)).toBe(all);
    expect(await replay(log, start, 1)).toBe(all);
    expect(await replay(log, start, 3)).toBe(all);
    expect(await replay(log, { epoch: start?.epoch ?? '', seq: 4 })).toBe(all.replace('! 4 ', ''));
    expect(await replay(log, { epoch: start?.epoch ?? '', seq: 3 })).toBe(all.slice(2));
    expect(await replay(log, { epoch: start?.epoch ?? '', seq: 14 })).toBe('15 16 17 18 19');
    expect(await replay(log, undefined)).toBe(`1 ${all}`);
  });

  test('that is gone where an epoch begins or ends shows as a gap too', async () => {
    const log = new EventLog(fixture.redis, { historyBytes: MIB / 2 });
    const fence = await owned();
    const [start] = await log.append(fence, [live(1)]);
    await append(log, fence, [history(1, 128 * 1024), live(2), history(2, 128 * 1024)]);
    await fixture.redis.hset(keys.logHead(tenantId), 'life', 'earlier');
    const begun = new EventLog(fixture.redis, { historyBytes: MIB / 2 });
    await append(begun, fence, [history(3, 128 * 1024), live(3), history(4, 450 * 1024)]);
    // The first entry of an epoch stays, since it names the position before.
    expect((await kept()).history).toEqual([3, 4]);
    expect(await replay(begun, start)).toBe('! 3 ! 1 2 3');
    expect(await replay(begun, start, 1)).toBe('! 3 ! 1 2 3');
  });
});
