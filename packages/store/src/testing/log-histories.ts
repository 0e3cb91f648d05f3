import { type EventPosition, formatEventId, parseEventId } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { EventLog, type LogPage } from '../events/event-log.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../sessions/session-ref.js';
import { ownedSession, type RedisFixture } from './redis-fixture.js';

/** An event whose body is a number. */
export const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;

/** A log to which things happen. Its epochs are called A, B, C … in the order in which they began. */
class EventfulLog {
  readonly #redis: RedisConnection;
  readonly #log: EventLog;
  readonly #fence: Fence;
  readonly #key: string;
  readonly #headKey: string;
  readonly #epochs: string[] = [];

  constructor(redis: RedisConnection, fence: Fence) {
    this.#redis = redis;
    this.#log = new EventLog(redis);
    this.#fence = fence;
    this.#key = keys.log(fence.tenantId);
    this.#headKey = keys.logHead(fence.tenantId);
  }

  async append(count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, n) => numbered(n));
    for (const { epoch } of await this.#log.append(this.#fence, events)) {
      if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    }
  }

  /** The server begins another life, with all that it had. */
  async restart(): Promise<void> {
    await this.#redis.hset(this.#headKey, 'run', 1);
  }

  /** A replica takes over that has not got the last events. */
  async failOver(lost: number): Promise<void> {
    const doomed = await this.#redis.xrevrange(this.#key, '+', '-', 'COUNT', lost);
    await this.#redis.xdel(this.#key, ...doomed.map(([id]) => id));
    const [[last = ''] = []] = await this.#redis.xrevrange(this.#key, '+', '-', 'COUNT', 1);
    await this.#redis.call('XSETID', this.#key, last);
    await this.#redis.hset(this.#headKey, 'seq', last.split('-')[1] ?? '');
    await this.restart();
  }

  async trim(kept: number): Promise<void> {
    await this.#redis.xtrim(this.#key, 'MAXLEN', '=', kept);
  }

  async lose(part: 'log' | 'logHead'): Promise<void> {
    await this.#redis.del(keys[part](this.#fence.tenantId));
    // Of a log that is lost as a whole nothing but the time tells that there was one.
    const epoch = Number(this.#epochs.at(-1));
    await waitFor(async () => (await this.#time()) > epoch, { what: 'the next millisecond' });
  }

  async read(after: string, count = 100): Promise<Told> {
    return this.#tell(await this.#log.read(this.#fence.tenantId, { after: this.#positionOf(after), count }));
  }

  async position(): Promise<string> {
    return this.#print(await this.#log.position(this.#fence.tenantId));
  }

  async #time(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
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

export const append =
  (count: number): Happening =>
  (log) =>
    log.append(count);
export const restart: Happening = (log) => log.restart();
export const failOver =
  (lost: number): Happening =>
  (log) =>
    log.failOver(lost);
export const trim =
  (kept: number): Happening =>
  (log) =>
    log.trim(kept);
export const lose =
  (part: 'log' | 'logHead'): Happening =>
  (log) =>
    log.lose(part);

/** What happened to a log, its head then, and what a read after each position tells. */
export interface History {
  readonly name: string;
  readonly happens: readonly Happening[];
  readonly head: string;
  readonly answers: readonly Answer[];
}

/** Tests what reads of a log tell when it has such a history. */
export function testReads(fixture: RedisFixture, histories: readonly History[]): void {
  describe.each(histories)('a read when $name', ({ happens, head, answers }) => {
    let log: EventfulLog;
    beforeEach(async () => {
      const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
      log = new EventfulLog(fixture.redis, await ownedSession(fixture.redis, ref, 'wrk_a'));
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
}
