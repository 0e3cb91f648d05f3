import { payloadSchemas } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, test } from 'vitest';
import { channels, keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { EventChannel } from './event-channel.js';
import { EventLog } from './event-log.js';
import type { LoggedEvent } from './logged-event.js';

const fixture = useRedis();
const tenantId = 'tnt_a';
const shop = { tenantId, sessionId: 'shop' };
const desk = { tenantId, sessionId: 'desk' };
const logOf = (maxLength = 10_000) => new EventLog(fixture.redis, { maxLength });
const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;
const payloadOf = (event: LoggedEvent | undefined) => JSON.parse(event?.body.toString() ?? '');

describe('append', () => {
  test('numbers events from 1 without gaps, over all sessions of the tenant', async () => {
    const log = logOf();
    const [a, b] = [
      await ownedSession(fixture.redis, shop, 'wrk_a'),
      await ownedSession(fixture.redis, desk, 'wrk_b'),
    ];
    expect(await log.position(tenantId)).toEqual({ epoch: '0', seq: 0 });
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

    const { events } = await log.read(tenantId, { after: undefined, count: 10 });
    expect(events.map((event) => payloadOf(event).n)).toEqual([1, 2, 3, 4, 5]);
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
    const [event] = (await log.read(tenantId, { after: undefined, count: 10 })).events;
    expect(event).toMatchObject({ event: 'auth.qr', sessionId: 'shop', position });
    const published = payloadSchemas['auth.qr'].parse(payloadOf(event));
    expect(published).toEqual({ ...payload, eventId: `${position?.epoch}-1` });
  });

  test('refuses a body that is not an object with a field', async () => {
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    for (const body of ['', '{}', '[1]', 'null', ' {"a":1}']) {
      await expect(logOf().append(fence, [numbered(1), { event: 'call', body }])).rejects.toThrow(TypeError);
    }
    expect(await fixture.redis.exists(keys.log(tenantId))).toBe(0);
  });
});

describe('the channel', () => {
  test('has the events of the log in the order of the log, even with several writers', async () => {
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
    const { events } = await log.read(tenantId, { after: undefined, count: 1000 });
    expect(received).toEqual(events);
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

  test('leaves out a message that is not an event', async () => {
    const received: LoggedEvent[] = [];
    const channel = new EventChannel(fixture.connect('subscriber'));
    await channel.subscribe(tenantId, (event) => received.push(event));
    for (const message of ['', 'x', '1-1 unknown.event shop {"a":1}', '{"a":1}']) {
      await fixture.redis.spublish(channels.events(tenantId), message);
    }
    await logOf().append(await ownedSession(fixture.redis, shop, 'wrk_a'), [numbered(1)]);
    await waitFor(() => received.length > 0, { what: 'the event' });
    expect(received.map((event) => payloadOf(event).n)).toEqual([1]);
  });
});
