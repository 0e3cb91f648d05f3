import { type EventPosition, formatEventId } from '@wafleet/contract';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { append, type History, lose, numbered, testReads, trim } from '../testing/log-histories.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { EventLog } from './event-log.js';

const fixture = useRedis();
const tenantId = 'tnt_a';

const LAST_ID = '999999999999999-9007199254740991';
const HISTORIES: readonly History[] = [
  {
    name: 'nothing was ever appended',
    happens: [],
    head: '0-0',
    answers: [
      ['0-0', true, ''],
      ['0-1', false, ''],
      ['1-0', false, ''],
      ['1763812345678-5', false, ''],
      ['zz-5', false, ''],
    ],
  },
  {
    name: 'all is there',
    happens: [append(3)],
    head: 'A-3',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3'],
      ['A-0', true, 'A-1 A-2 A-3'],
      ['A-1', true, 'A-2 A-3'],
      ['A-3', true, ''],
      ['A-4', false, ''],
    ],
  },
  {
    name: 'positions that the log never gave',
    happens: [append(2)],
    head: 'A-2',
    answers: [
      ['1-5', false, 'A-1 A-2'],
      ['zz-5', false, 'A-1 A-2'],
      [`${'9'.repeat(32)}-5`, false, 'A-1 A-2'],
      ['9999999999999999-5', false, 'A-1 A-2'],
      [LAST_ID, false, ''],
      ['999999999999999-0', false, ''],
    ],
  },
  {
    name: 'the oldest were trimmed',
    happens: [append(6), trim(2)],
    head: 'A-6',
    answers: [
      ['0-0', false, 'A-5 A-6'],
      ['A-0', false, 'A-5 A-6'],
      ['A-3', false, 'A-5 A-6'],
      ['A-4', true, 'A-5 A-6'],
      ['A-5', true, 'A-6'],
      ['A-6', true, ''],
    ],
  },
  {
    name: 'all were trimmed',
    happens: [append(3), trim(0)],
    head: 'A-3',
    answers: [
      ['A-3', true, ''],
      ['A-2', false, ''],
      ['0-0', false, ''],
      ['A-4', false, ''],
      ['zz-1', false, ''],
    ],
  },
  {
    name: 'all expired',
    happens: [append(3), lose('log')],
    head: 'A-3',
    answers: [
      ['A-3', true, ''],
      ['A-2', false, ''],
      ['0-0', false, ''],
    ],
  },
  {
    name: 'all expired, and more came',
    happens: [append(3), lose('log'), append(2)],
    head: 'A-5',
    answers: [
      ['A-3', true, 'A-4 A-5'],
      ['A-2', false, 'A-4 A-5'],
      ['A-4', true, 'A-5'],
      ['0-0', false, 'A-4 A-5'],
    ],
  },
];

testReads(fixture, HISTORIES);

describe('a reader', () => {
  const read = (options: { after: EventPosition | undefined; count: number }) =>
    new EventLog(fixture.redis).read(tenantId, options);

  test('gets all events in pages, also past those that its release does not know', async () => {
    const log = new EventLog(fixture.redis);
    const fence = await ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');
    await log.append(fence, [1, 2, 3, 4].map(numbered));
    const [position] = await log.append(fence, [numbered(5)]);
    for (const seq of [6, 7, 8]) {
      const id = `${position?.epoch}-${seq}`;
      await fixture.redis.xadd(keys.log(tenantId), id, 'm', `${id} event.of-tomorrow shop {}`);
      await fixture.redis.hincrby(keys.logHead(tenantId), 'seq', 1);
    }
    await log.append(fence, [numbered(9)]);

    const seqs: number[] = [];
    let page = await read({ after: undefined, count: 2 });
    while (page.end.seq < page.head.seq) {
      seqs.push(...page.events.map(({ position: { seq } }) => seq));
      page = await read({ after: page.end, count: 2 });
      expect(page.isContinuous).toBe(true);
    }
    seqs.push(...page.events.map(({ position: { seq } }) => seq));
    expect(seqs).toEqual([1, 2, 3, 4, 5, 9]);
  });

  test('gets pages that end at a number of bytes, with one event at least', async () => {
    const log = new EventLog(fixture.redis);
    const fence = await ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');
    const sizes = [10, 100_000, 10, 10, 30_000, 30_000, 10];
    await log.append(
      fence,
      sizes.map((size) => ({ event: 'call', body: JSON.stringify({ text: 'x'.repeat(size) }) })),
    );
    const pages: number[][] = [];
    let after: EventPosition | undefined;
    for (;;) {
      const page = await log.read(tenantId, { after, count: 100, maxBytes: 50_000 });
      if (page.events.length === 0) break;
      pages.push(page.events.map(({ position: { seq } }) => seq));
      expect(page.bytes).toBeGreaterThan(0);
      after = page.end;
    }
    expect(pages).toEqual([[1, 2], [3, 4, 5, 6], [7]]);
  });

  test('gets the events of the names that it asks for, and the number of bytes that were looked at', async () => {
    const log = new EventLog(fixture.redis);
    const fence = await ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');
    const body = JSON.stringify({ text: 'x'.repeat(1_000) });
    await log.append(fence, [
      { event: 'call', body },
      { event: 'chats.update', body },
      { event: 'presence.update', body },
      { event: 'call', body },
      { event: 'chats.update', body },
    ]);
    const page = await log.read(tenantId, { after: undefined, count: 100, names: ['call'] });
    expect(page.events.map(({ event, position }) => [event, position.seq])).toEqual([
      ['call', 1],
      ['call', 4],
    ]);
    expect(page.end.seq).toBe(5);
    expect(page.bytes).toBeGreaterThan(5_000);
    const none = await log.read(tenantId, { after: undefined, count: 2, names: ['groups.update'] });
    expect(none).toMatchObject({ events: [], isContinuous: true, first: { seq: 1 }, end: { seq: 2 } });
  });

  test('sees one tenant only', async () => {
    const fence = await ownedSession(fixture.redis, { tenantId: 'tnt_b', sessionId: 'shop' }, 'wrk_a');
    await new EventLog(fixture.redis).append(fence, [numbered(1)]);
    expect(await read({ after: undefined, count: 10 })).toMatchObject({ events: [], head: { seq: 0 } });
  });

  test('gets a body as it was given, byte by byte', async () => {
    const fence = await ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a');
    const body = JSON.stringify({ text: '\u0000 \r\n "ünï" 🎉 \ud83d', rest: ' '.repeat(5_000) });
    const [position] = await new EventLog(fixture.redis).append(fence, [{ event: 'call', body }]);
    const [event] = (await read({ after: undefined, count: 1 })).events;
    const eventId = formatEventId(position ?? { epoch: '', seq: 0 });
    expect(event?.body.toString()).toBe(`{"eventId":"${eventId}",${body.slice(1)}`);
  });
});
