import { type EventPosition, formatEventId, parseEventId } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { EventLog, type LogPage } from '../events/event-log.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../redis/session-ref.js';
import { ownedSession, type RedisFixture } from './redis-fixture.js';

/** An event whose body is a number. */
export const numbered = (n: number) => ({ event: 'call', body: JSON.stringify({ n }) }) as const;

/** A log with a scripted history. Its epochs are named A, B, C … in the order in which they began. */
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

  /** The server begins another life and keeps all of its data. */
  async restart(): Promise<void> {
    await this.#redis.hset(this.#headKey, 'life', 'earlier');
  }

  /** A replica that lacks the last events takes over. */
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
    // If the whole log is lost, only the time distinguishes its epoch from the next one.
    const epoch = Number(this.#epochs.at(-1));
    await waitFor(async () => (await this.#time()) > epoch, { what: 'the next millisecond' });
  }

  async read(after: string, count = 100): Promise<Reported> {
    return this.#tell(await this.#log.read(this.#fence.tenantId, { after: this.#positionOf(after), count }));
  }

  async position(): Promise<string> {
    return this.#print(await this.#log.position(this.#fence.tenantId));
  }

  async #time(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  #tell({ events, isContinuous, head, end }: LogPage): Reported {
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

interface Reported {
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

/** The history of a log, its head after it, and the expected result of a read after each position. */
export interface History {
  readonly name: string;
  readonly happens: readonly Happening[];
  readonly head: string;
  readonly answers: readonly Answer[];
}

/** Tests the results of reads of logs with these histories. */
export function testReads(fixture: RedisFixture, histories: readonly History[]): void {
  describe.each(histories)('a read when $name', ({ happens, head, answers }) => {
    let log: EventfulLog;
    beforeEach(async () => {
      const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
      log = new EventfulLog(fixture.redis, await ownedSession(fixture.redis, ref, 'wrk_a'));
      for (const happen of happens) await happen(log);
    });

    test('reports the head', async () => {
      expect(await log.position()).toBe(head);
    });

    test.each(answers)('after %s: complete? %s, %s', async (after, isContinuous, events) => {
      const end = events.split(' ').at(-1) || (isContinuous ? after : head);
      expect(await log.read(after)).toEqual({ isContinuous, events, head, end });
      // The result of a page of one event does not depend on how many events follow.
      const [first = ''] = events.split(' ');
      expect(await log.read(after, 1)).toMatchObject({ isContinuous, events: first, head });
    });
  });
}
