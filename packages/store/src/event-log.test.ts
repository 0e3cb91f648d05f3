import { payloadSchemas } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, test } from 'vitest';
import { EventChannel } from './event-channel.js';
import { EventLog, type LoggedEvent } from './event-log.js';
import { channels, keys } from './keyspace.js';
import { FencedError } from './session-ref.js';
import { claimed, ownedSession, useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();
const tenantId = 'tnt_a';
const shop = { tenantId, sessionId: 'shop' };
const desk = { tenantId, sessionId: 'desk' };
const logOf = (maxLength = 10_000) => new EventLog(fixture.redis, { maxLength });
const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;

describe('append', () => {
  test('numbers events from 1 without gaps, over all sessions of the tenant', async () => {
    const log = logOf();
    const [a, b] = [
      await ownedSession(fixture.redis, shop, 'wrk_a'),
      await ownedSession(fixture.redis, desk, 'wrk_b'),
    ];
    expect(await log.position(tenantId)).toBeUndefined();
    const positions = [
      ...(await log.append(a, [numbered(1), numbered(2)])),
      ...(await log.append(b, [numbered(3)])),
      ...(await log.append(a, [])),
      ...(await log.append(a, [numbered(4)])),
    ];
    const [first] = positions;
    expect(positions).toEqual([1, 2, 3, 4].map((seq) => ({ epoch: first?.epoch, seq })));
    expect(await log.position(tenantId)).toEqual(positions.at(-1));
  });

  test('writes a batch once, however often it is given, and answers the same positions', async () => {
    const log = logOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const other = await ownedSession(fixture.redis, desk, 'wrk_b');
    const first = await log.append(fence, [numbered(1), numbered(2)], { batch: 1 });
    await log.append(other, [numbered(3)], { batch: 1 });
    expect(await log.append(fence, [numbered(1), numbered(2)], { batch: 1 })).toEqual(first);
    await log.append(fence, [numbered(4)], { batch: 2 });
    // The next owner counts its batches from 1 again.
    const next = await claimed(fixture.redis, shop, 'wrk_c', 'wrk_a');
    await log.append(next, [numbered(5)], { batch: 2 });

    const events = await log.read(tenantId, { after: undefined, count: 10 });
    expect(events.map(({ body }) => JSON.parse(body).n)).toEqual([1, 2, 3, 4, 5]);
    expect(events.map(({ position }) => position.seq)).toEqual([1, 2, 3, 4, 5]);
    await expect(log.append(fence, [numbered(4)], { batch: 2 })).rejects.toThrow(FencedError);
  });

  test('puts the event id into the payload, which stays valid JSON', async () => {
    const log = logOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const payload = {
      sessionId: 'shop',
      timestamp: '2026-01-01T00:00:00.000Z',
      qr: '2@"quoted", \\ and ünïcode 🎉\n',
      expiresAt: '2026-01-01T00:01:00.000Z',
    };
    const [position] = await log.append(fence, [{ event: 'auth.qr', body: JSON.stringify(payload) }]);
    const [event] = await log.read(tenantId, { after: undefined, count: 10 });
    expect(event).toMatchObject({ event: 'auth.qr', sessionId: 'shop', position });
    const published = payloadSchemas['auth.qr'].parse(JSON.parse(event?.body ?? ''));
    expect(published).toEqual({ ...payload, eventId: `${position?.epoch}-1` });
  });

  test('refuses a body that is no object with a field', async () => {
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    for (const body of ['', '{}', '[1]', 'null', ' {"a":1}']) {
      await expect(logOf().append(fence, [numbered(1), { event: 'call', body }])).rejects.toThrow(TypeError);
    }
    expect(await fixture.redis.exists(keys.log(tenantId))).toBe(0);
  });

  test('trims the log to about its length and keeps counting', async () => {
    const log = logOf(500);
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    for (let batch = 0; batch < 20; batch++) {
      await log.append(
        fence,
        Array.from({ length: 100 }, (_, index) => numbered(batch * 100 + index)),
      );
    }
    const length = await fixture.redis.xlen(keys.log(tenantId));
    expect(length).toBeGreaterThanOrEqual(500);
    expect(length).toBeLessThan(700);
    const kept = await log.read(tenantId, { after: undefined, count: 10_000 });
    expect(kept.map(({ position }) => position.seq)).toEqual(
      Array.from({ length }, (_, index) => 2000 - length + 1 + index),
    );
  });

  test('starts a new epoch when the log is lost, which sorts after the old one', async () => {
    const log = logOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const [before] = await log.append(fence, [numbered(1)]);
    await fixture.redis.del(keys.logHead(tenantId));
    const [after] = await log.append(fence, [numbered(2)]);
    expect(after?.seq).toBe(1);
    expect(Number(after?.epoch)).toBeGreaterThan(Number(before?.epoch));
    const events = await log.read(tenantId, { after: before, count: 10 });
    expect(events.map(({ position }) => position)).toEqual([after]);
  });
});

describe('read', () => {
  test('gives what comes after a position, oldest first, in pages', async () => {
    const log = logOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await log.append(
      fence,
      Array.from({ length: 10 }, (_, index) => numbered(index + 1)),
    );
    const seqs: number[] = [];
    let after: LoggedEvent['position'] | undefined;
    for (;;) {
      const page = await log.read(tenantId, { after, count: 3 });
      if (page.length === 0) break;
      seqs.push(...page.map(({ position }) => position.seq));
      after = page.at(-1)?.position;
    }
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('starts at the oldest event for a position that no log of ours gave', async () => {
    const log = logOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await log.append(fence, [numbered(1)]);
    for (const epoch of ['zz', '9'.repeat(32)]) {
      expect(await log.read(tenantId, { after: { epoch, seq: 5 }, count: 10 })).toHaveLength(1);
    }
  });

  test('sees one tenant only', async () => {
    const log = logOf();
    await log.append(await ownedSession(fixture.redis, shop, 'wrk_a'), [numbered(1)]);
    expect(await log.read('tnt_b', { after: undefined, count: 10 })).toEqual([]);
  });
});

describe('the channel', () => {
  test('has the events of the log in the order of the log, whoever appends', async () => {
    const received: LoggedEvent[] = [];
    const channel = new EventChannel(fixture.connect('subscriber'));
    await channel.subscribe(tenantId, (event) => received.push(event));
    const log = logOf();
    const writers = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => ({
        log: new EventLog(fixture.connect('command'), { maxLength: 10_000 }),
        fence: await ownedSession(fixture.redis, { tenantId, sessionId: `s${index}` }, 'wrk_a'),
      })),
    );
    await Promise.all(
      writers.map(async (writer) => {
        for (let n = 0; n < 40; n++) await writer.log.append(writer.fence, [numbered(n), numbered(n)]);
      }),
    );
    await waitFor(() => received.length === 400, { what: 'all events on the channel' });
    expect(received).toEqual(await log.read(tenantId, { after: undefined, count: 1000 }));
  });

  test('gives a tenant’s events to its own listener only, until it unsubscribes', async () => {
    const mine: LoggedEvent[] = [];
    const others: LoggedEvent[] = [];
    const channel = new EventChannel(fixture.connect('subscriber'));
    await channel.subscribe(tenantId, (event) => mine.push(event));
    await channel.subscribe('tnt_b', (event) => others.push(event));
    const log = logOf();
    const a = await ownedSession(fixture.redis, shop, 'wrk_a');
    const b = await ownedSession(fixture.redis, { tenantId: 'tnt_b', sessionId: 'shop' }, 'wrk_a');
    await log.append(a, [numbered(1)]);
    await waitFor(() => mine.length === 1, { what: 'the event' });
    await channel.unsubscribe(tenantId);
    await log.append(a, [numbered(2)]);
    await log.append(b, [numbered(3)]);
    await waitFor(() => others.length === 1, { what: 'the other tenant’s event' });
    expect(mine).toHaveLength(1);
  });

  test('leaves out what is no event', async () => {
    const received: LoggedEvent[] = [];
    const channel = new EventChannel(fixture.connect('subscriber'));
    await channel.subscribe(tenantId, (event) => received.push(event));
    for (const message of ['', 'x', '1-1 unknown.event shop {"a":1}', '{"a":1}']) {
      await fixture.redis.spublish(channels.events(tenantId), message);
    }
    await logOf().append(await ownedSession(fixture.redis, shop, 'wrk_a'), [numbered(1)]);
    await waitFor(() => received.length > 0, { what: 'the event' });
    expect(received.map(({ body }) => JSON.parse(body).n)).toEqual([1]);
  });
});
