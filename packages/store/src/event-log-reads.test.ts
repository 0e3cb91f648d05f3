import { type EventPosition, formatEventId, parseEventId } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { EventLog, type LogPage } from './event-log.js';
import { keys } from './keyspace.js';
import type { Fence } from './session-ref.js';
import { ownedSession, useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();
const tenantId = 'tnt_a';
const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;

async function redisTime(): Promise<number> {
  const [seconds, microseconds] = await fixture.redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** A log to which things happen. Its epochs are called A, B, C … in the order in which they began. */
class EventfulLog {
  readonly #log = new EventLog(fixture.redis);
  readonly #fence: Fence;
  readonly #epochs: string[] = [];

  constructor(fence: Fence) {
    this.#fence = fence;
  }

  async append(count: number): Promise<void> {
    for (const { epoch } of await this.#log.append(
      this.#fence,
      Array.from({ length: count }, (_, n) => numbered(n)),
    )) {
      if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    }
  }

  /** The server begins another life, with all that it had. */
  async restart(): Promise<void> {
    await fixture.redis.hset(keys.logHead(tenantId), 'run', 1);
  }

  /** A replica takes over that has not got the last events. */
  async failOver(lost: number): Promise<void> {
    const doomed = await fixture.redis.xrevrange(keys.log(tenantId), '+', '-', 'COUNT', lost);
    await fixture.redis.xdel(keys.log(tenantId), ...doomed.map(([id]) => id));
    const [[last = ''] = []] = await fixture.redis.xrevrange(keys.log(tenantId), '+', '-', 'COUNT', 1);
    await fixture.redis.call('XSETID', keys.log(tenantId), last);
    await fixture.redis.hset(keys.logHead(tenantId), 'seq', last.split('-')[1] ?? '');
    await this.restart();
  }

  async trim(kept: number): Promise<void> {
    await fixture.redis.xtrim(keys.log(tenantId), 'MAXLEN', '=', kept);
  }

  async lose(part: 'log' | 'logHead'): Promise<void> {
    await fixture.redis.del(keys[part](tenantId));
    // Of a log that is lost as a whole nothing but the time tells that there was one.
    const epoch = Number(this.#epochs.at(-1));
    await waitFor(async () => (await redisTime()) > epoch, { what: 'the next millisecond' });
  }

  async read(after: string, count = 100): Promise<Told> {
    return this.#tell(await this.#log.read(tenantId, { after: this.#positionOf(after), count }));
  }

  async position(): Promise<string> {
    return this.#print(await this.#log.position(tenantId));
  }

  #tell({ events, isContinuous, head, end }: LogPage): Told {
    return {
      isContinuous,
      events: events.map(({ position }) => this.#print(position)).join(' '),
      head: this.#print(head),
      end: this.#print(end),
    };
  }

  #print({ epoch, seq }: EventPosition): string {
    const number = this.#epochs.indexOf(epoch);
    return formatEventId({ epoch: number < 0 ? epoch : String.fromCharCode(65 + number), seq });
  }

  #positionOf(text: string): EventPosition | undefined {
    const epoch = this.#epochs[text.charCodeAt(0) - 65];
    return parseEventId(epoch === undefined ? text : text.replace(/^./, epoch));
  }
}

interface Told {
  readonly isContinuous: boolean;
  readonly events: string;
  readonly head: string;
  readonly end: string;
}

type Happening = (log: EventfulLog) => Promise<void>;
type Answer = readonly [after: string, isContinuous: boolean, events: string];

const append =
  (count: number): Happening =>
  (log) =>
    log.append(count);
const restart: Happening = (log) => log.restart();
const failOver =
  (lost: number): Happening =>
  (log) =>
    log.failOver(lost);
const trim =
  (kept: number): Happening =>
  (log) =>
    log.trim(kept);
const lose =
  (part: 'log' | 'logHead'): Happening =>
  (log) =>
    log.lose(part);

const LAST_ID = '999999999999999-9007199254740991';
const HISTORIES: readonly {
  name: string;
  happens: readonly Happening[];
  head: string;
  answers: readonly Answer[];
}[] = [
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
  {
    name: 'a restart, and nothing since',
    happens: [append(3), restart],
    head: 'A-3',
    answers: [
      ['A-3', true, ''],
      ['A-1', true, 'A-2 A-3'],
      ['0-0', true, 'A-1 A-2 A-3'],
    ],
  },
  {
    name: 'a restart',
    happens: [append(3), restart, append(2)],
    head: 'B-2',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2'],
      ['A-2', true, 'A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['B-0', true, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
      ['B-2', true, ''],
      ['B-3', false, ''],
    ],
  },
  {
    name: 'a restart, and the epoch before it was trimmed',
    happens: [append(3), restart, append(2), trim(2)],
    head: 'B-2',
    answers: [
      ['A-3', true, 'B-1 B-2'],
      ['A-2', false, 'B-1 B-2'],
      ['0-0', false, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
    ],
  },
  {
    name: 'a restart, and the begin of the new epoch was trimmed as well',
    happens: [append(3), restart, append(3), trim(2)],
    head: 'B-3',
    answers: [
      ['A-3', false, 'B-2 B-3'],
      ['B-0', false, 'B-2 B-3'],
      ['B-1', true, 'B-2 B-3'],
    ],
  },
  {
    name: 'a failover that lost the end, and nothing since',
    happens: [append(5), failOver(2)],
    head: 'A-3',
    answers: [
      ['A-2', true, 'A-3'],
      ['A-3', true, ''],
      ['A-5', true, ''],
      ['zz-5', false, 'A-1 A-2 A-3'],
    ],
  },
  {
    name: 'a failover that lost the end',
    happens: [append(5), failOver(2), append(2)],
    head: 'B-2',
    answers: [
      ['A-2', true, 'A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['A-5', true, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
      ['B-3', false, ''],
    ],
  },
  {
    name: 'a failover that lost the end, and all from before was trimmed',
    happens: [append(5), failOver(2), append(2), trim(1)],
    head: 'B-2',
    answers: [
      ['A-5', false, 'B-2'],
      ['A-3', false, 'B-2'],
      ['B-1', true, 'B-2'],
    ],
  },
  {
    name: 'two failovers in a row',
    happens: [append(5), failOver(2), append(3), failOver(1), append(1)],
    head: 'C-1',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2 C-1'],
      ['A-5', true, 'B-1 B-2 C-1'],
      ['B-2', true, 'C-1'],
      ['B-3', true, 'C-1'],
      ['C-1', true, ''],
    ],
  },
  {
    name: 'a failover that lost an epoch as a whole',
    happens: [append(3), restart, append(2), failOver(2), append(1)],
    head: 'C-1',
    answers: [
      ['A-3', true, 'C-1'],
      ['B-2', false, 'C-1'],
      ['B-1', false, 'C-1'],
    ],
  },
  {
    name: 'the head was lost, and nothing since',
    happens: [append(3), lose('logHead')],
    head: 'A-3',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3'],
      ['A-2', true, 'A-3'],
      ['A-3', true, ''],
      ['A-4', false, ''],
    ],
  },
  {
    name: 'the head was lost',
    happens: [append(3), lose('logHead'), append(2)],
    head: 'B-2',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['B-2', true, ''],
    ],
  },
  {
    name: 'the head was lost after all events had been trimmed',
    happens: [append(3), trim(0), lose('logHead'), append(1)],
    head: 'B-1',
    answers: [
      ['A-3', true, 'B-1'],
      ['A-2', false, 'B-1'],
      ['0-0', false, 'B-1'],
    ],
  },
  {
    name: 'the events were lost in a failover',
    happens: [append(3), lose('log'), restart, append(1)],
    head: 'B-1',
    answers: [
      ['A-3', true, 'B-1'],
      ['A-2', false, 'B-1'],
      ['0-0', false, 'B-1'],
    ],
  },
  {
    name: 'everything was lost',
    happens: [append(3), lose('log'), lose('logHead'), append(1)],
    head: 'B-1',
    answers: [
      ['A-3', false, 'B-1'],
      ['A-1', false, 'B-1'],
      ['B-1', true, ''],
    ],
  },
];

describe.each(HISTORIES)('a read when $name', ({ happens, head, answers }) => {
  let log: EventfulLog;
  beforeEach(async () => {
    log = new EventfulLog(await ownedSession(fixture.redis, { tenantId, sessionId: 'shop' }, 'wrk_a'));
    for (const happen of happens) await happen(log);
  });

  test('tells the head', async () => {
    expect(await log.position()).toBe(head);
  });

  test.each(answers)('after %s: complete? %s, %s', async (after, isContinuous, events) => {
    const end = events.split(' ').at(-1) || (isContinuous ? after : head);
    expect(await log.read(after)).toEqual({ isContinuous, events, head, end });
    // What a page of one event tells does not depend on how many follow.
    const [first = ''] = events.split(' ');
    expect(await log.read(after, 1)).toMatchObject({ isContinuous, events: first, head });
  });
});

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
