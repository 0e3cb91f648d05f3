import {
  comparePositions,
  DEFAULT_TENANT_LIMITS,
  type EventName,
  type EventPosition,
  MAX_EVENT_BYTES,
} from '@wafleet/contract';
import type { SealedEntry } from '../lists/account-lists.js';
import type { SealedSecret } from '../messages/message-secrets.js';
import type { RedisConnection } from '../redis/connection.js';
import { channels, keys } from '../redis/keyspace.js';
import { asBuffer, asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence } from '../redis/session-ref.js';
import { LastPositions } from './last-positions.js';
import { LogLooks } from './log-looks.js';
import { type LoggedEvent, parseLoggedEvent, parsePosition } from './logged-event.js';
import { ServerLife } from './server-life.js';

/** An event to append to the log. */
export interface OutgoingEvent {
  readonly event: EventName;
  /** The payload without its eventId: the text of a JSON object with at least one field, so it begins with `{"`. */
  readonly body: string;
  /**
   * Whether it is part of a history. Histories have a share of the log of their own and never displace a live event.
   */
  readonly isHistory?: boolean;
}

/** The begin and the size of a page of the log. */
export interface PageRequest {
  /** Undefined to begin with the very first event of the log. */
  readonly after: EventPosition | undefined;
  /** Maximum number of events; 0 for none. */
  readonly count: number;
  /** The page ends with the event at which it reaches this number of bytes. Default: 512 KiB. */
  readonly maxBytes?: number;
  /** Names of the events to return; others are read and left out. Default: all. */
  readonly names?: readonly EventName[];
}

/** An event is too large for a log. Nothing of its batch was written. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
  /** The first event that is too large. */
  readonly event: OutgoingEvent;

  constructor(event: OutgoingEvent) {
    super(`${event.event} has ${Buffer.byteLength(event.body)} bytes`);
    this.event = event;
  }
}

/** The maximum size of one event in the log: its payload, and what precedes it in Redis. */
const MAX_LOGGED_BYTES = MAX_EVENT_BYTES + 1024;

/** A consistent snapshot of a part of a tenant's log. */
export interface LogPage {
  /**
   * Oldest first and consecutive, except for events that were not requested and events with a name that this release
   * does not know. A page therefore ends before a gap.
   */
  readonly events: readonly LoggedEvent[];
  /** The position of the first event after the requested position, of any name. Undefined if there is none. */
  readonly first: EventPosition | undefined;
  /** How many bytes of the log Redis read to make the page. */
  readonly bytes: number;
  /**
   * Whether the log still has every event that it ever had between the requested position and the first event of the
   * page, or the head if the page is empty.
   */
  readonly isContinuous: boolean;
  /** The position of the log's last event, `0-0` if there was none yet. It may be before the requested position. */
  readonly head: EventPosition;
  /**
   * The end of the page: the next page is read after this position. It is the position of the last event that was read.
   * If none was read, it is the requested position if the page is continuous, else the head.
   */
  readonly end: EventPosition;
}

/** How much of a log is kept. Default: `EVENT_LOG_BOUNDS`, and the limits of the contract. */
export interface EventLogBounds {
  readonly maxLength?: number;
  readonly maxAgeMs?: number;
  /** Bytes of live events, for a tenant that has no limit of its own. */
  readonly logBytes?: number;
  /** Bytes of parts of histories, likewise. */
  readonly historyBytes?: number;
}

/** Default size of a page. A read of this size takes about a millisecond of Redis' time. */
const LOG_PAGE_BYTES = 512 * 1024;

/** How much of a log is kept by default: the last 10,000 events, for 24 hours. */
export const EVENT_LOG_BOUNDS = { maxLength: 10_000, maxAgeMs: 24 * 60 * 60 * 1000 } as const;

/** The position of a log without events. */
const NOTHING: EventPosition = { epoch: '0', seq: 0 };

/** An epoch that a log can have given: the numbers are limited to those of stream entry ids. */
const STREAM_EPOCH = /^[0-9]{1,15}$/;

const appendEvents = new FencedScript('events/append-events', (reply) => {
  const [position = '', life] = asText(reply).split(' ');
  return { first: parsePosition(position) ?? NOTHING, life };
});

const readEvents = new Script('events/read-events', (reply) => {
  const [head, isContinuous, first, last, bytes, messages] = asList(reply);
  return {
    head: asPosition(head),
    isContinuous: asNumber(isContinuous) === 1,
    first: asPosition(first),
    last: asPosition(last),
    bytes: asNumber(bytes),
    messages: asList(messages).map(asBuffer),
  };
});

function asPosition(reply: unknown): EventPosition {
  return parsePosition(asBuffer(reply).toString('latin1')) ?? NOTHING;
}

/**
 * A tenant's events, in one Redis stream. `append` checks the fence, counts, stores and publishes in one script.
 * Therefore the order in the log equals the order on the channel (see EventChannel), positions have no gaps within an
 * epoch, and the events of one call are consecutive and in the order given.
 *
 * No position is ever given to two events. A Redis that was restarted, or a replica that was promoted, may lack the
 * end of the log; the next append then begins a new epoch. Epochs increase, and the events of earlier epochs stay.
 *
 * The log keeps about `maxLength` events, and none for much longer than `maxAgeMs`: at most 2/32 of it longer,
 * and then until the tenant's own appends have deleted it, each a bounded part. It keeps about the newest `logBytes` of
 * live events, which each writer counts in steps of at most 128 KiB. In addition it keeps the newest `historyBytes` of
 * parts of histories, which never displace a live event. A deleted part leaves a gap, which `read` reports like any
 * other. All writers of a log should have the same bounds; readers need none.
 */
export class EventLog {
  readonly #redis: RedisConnection;
  readonly #maxLength: number;
  readonly #maxAgeMs: number;
  readonly #logBytes: number;
  readonly #historyBytes: number;
  readonly #life: ServerLife;
  readonly #looks: LogLooks;
  readonly #lastPositions = new LastPositions();

  constructor(redis: RedisConnection, bounds: EventLogBounds = {}) {
    this.#redis = redis;
    this.#life = new ServerLife(redis);
    this.#logBytes = bounds.logBytes ?? DEFAULT_TENANT_LIMITS.logBytes;
    this.#historyBytes = bounds.historyBytes ?? DEFAULT_TENANT_LIMITS.historyBytes;
    this.#maxLength = bounds.maxLength ?? EVENT_LOG_BOUNDS.maxLength;
    this.#maxAgeMs = bounds.maxAgeMs ?? EVENT_LOG_BOUNDS.maxAgeMs;
    this.#looks = new LogLooks({ maxAgeMs: this.#maxAgeMs, logBytes: this.#logBytes });
  }

  /**
   * Appends and publishes events of the fence's session. Atomic.
   * @param options.batch the number of these events' batch under this fence. The last batch may be appended again if
   * its answer was lost: it is not written a second time, and its positions are the same. Without a number, a repeated
   * call repeats the events.
   * @param options.deletedFields fields of the session's credentials that are deleted in the same step. They had to be
   * kept until these events are in the log.
   * @param options.finishedDigests digests of the messages that these events finish; see ProcessedMessages.
   * @param options.secrets secrets of messages that are stored in the same step; see MessageSecrets.
   * @param options.entries entries of the lists of chats and contacts that are written in the same step; see
   * AccountLists.
   * @throws {FencedError} if the fence no longer owns the session.
   * @throws {EventTooLargeError} if a body has more than MAX_EVENT_BYTES.
   */
  async append(
    fence: Fence,
    events: readonly OutgoingEvent[],
    {
      batch,
      deletedFields = [],
      finishedDigests = [],
      secrets = [],
      entries = [],
    }: {
      batch?: number;
      deletedFields?: readonly string[];
      finishedDigests?: readonly string[];
      secrets?: readonly SealedSecret[];
      entries?: readonly SealedEntry[];
    } = {},
  ): Promise<EventPosition[]> {
    const changesSession = [deletedFields, finishedDigests, secrets, entries].some(
      ({ length }) => length > 0,
    );
    if (events.length === 0 && !changesSession) return [];
    if (!events.every(({ body }) => body.startsWith('{"'))) {
      throw new TypeError('an event body must be the text of a JSON object with at least one field');
    }
    const tooLarge = events.find(
      ({ body }) => body.length * 3 > MAX_LOGGED_BYTES && Buffer.byteLength(body) > MAX_LOGGED_BYTES,
    );
    if (tooLarge !== undefined) {
      throw new EventTooLargeError(tooLarge);
    }
    const { tenantId } = fence;
    const now = performance.now();
    const look = this.#looks.begin(tenantId, events, now);
    const { seesAge, countedBytes } = look;
    const marks = historyMarks(events);
    const seesLog = seesAge || countedBytes > 0 || marks !== '';
    const changesLists = entries.length > 0;
    const usesLog = seesLog || changesLists;
    const rarelyUsed = [
      ...(usesLog || changesSession ? [keys.auth(fence), ...keys.finished(fence)] : []),
      ...(usesLog || secrets.length > 0 ? keys.secrets(fence) : []),
      ...(usesLog ? [keys.logMarks(tenantId), keys.logBytes(tenantId)] : []),
      ...(usesLog ? [keys.logHistory(tenantId), keys.tenantLimits(tenantId)] : []),
      ...(changesLists ? keys.lists(fence) : []),
    ];
    const life = this.#life.begin(now);
    try {
      const { first, life: read } = await appendEvents.run(
        this.#redis,
        keys.owner(fence),
        fence,
        [keys.logHead(tenantId), keys.log(tenantId), channels.events(tenantId), ...rarelyUsed],
        [
          ...[fence.sessionId, batch ?? '', this.#maxLength, life.argument],
          seesLog
            ? `${seesAge ? this.#maxAgeMs : ''} ${countedBytes} ${this.#logBytes} ${this.#historyBytes} ${marks}`
            : '',
          deletedFields.length + secrets.length + entries.length > 0
            ? `${deletedFields.length} ${secrets.length} ${entries.length}`
            : '',
          finishedDigests.join(''),
          ...deletedFields,
          ...secrets.flatMap(({ id, sealed }) => [id, sealed]),
          ...entries.flatMap(({ list, id, sealed, order }) => [list + id, sealed ?? '', order]),
          ...events.flatMap(({ event, body }) => [event, body.slice(1)]),
        ],
      );
      look.succeeded();
      life.ended(read);
      const positions = events.map((_, index) => ({ epoch: first.epoch, seq: first.seq + index }));
      const last = positions.at(-1);
      if (last !== undefined) this.#lastPositions.note(tenantId, last);
      return positions;
    } catch (error) {
      look.failed();
      life.ended();
      throw error;
    }
  }

  /**
   * Returns the events after a position, oldest first: at most `count`, and no further ones once they have `maxBytes`
   * together, but at least one if there is one. If the log lacks the event directly after the position, the page begins
   * with the oldest event that is kept after it. For a position that no log can have given, it begins with the oldest
   * of all.
   */
  async read(
    tenantId: string,
    { after = NOTHING, count, maxBytes = LOG_PAGE_BYTES, names = [] }: PageRequest,
  ): Promise<LogPage> {
    const { head, isContinuous, first, last, bytes, messages } = await readEvents.run(
      this.#redis,
      [keys.logHead(tenantId), keys.log(tenantId)],
      [STREAM_EPOCH.test(after.epoch) ? after.epoch : '', after.seq, count, Math.max(1, maxBytes), ...names],
      { binary: true },
    );
    const events = messages.map(parseLoggedEvent).filter((event) => event !== undefined);
    const hasLooked = comparePositions(last, NOTHING) > 0;
    const end = hasLooked ? last : isContinuous ? after : head;
    const hasFirst = comparePositions(first, NOTHING) > 0;
    return { events, first: hasFirst ? first : undefined, bytes, isContinuous, head, end };
  }

  /**
   * The position of the last event that this process appended to the tenant's log; undefined if it is not known. What
   * is appended from now on comes after it.
   */
  lastAppended(tenantId: string): EventPosition | undefined {
    return this.#lastPositions.of(tenantId);
  }

  /** Returns the position of the tenant's last event, or `0-0` if there was none yet. */
  async position(tenantId: string): Promise<EventPosition> {
    const { head } = await this.read(tenantId, { after: undefined, count: 0 });
    return head;
  }
}

/** An argument of the script: which events are part of a history. `''` if none is. */
function historyMarks(events: readonly OutgoingEvent[]): string {
  if (!events.some(({ isHistory }) => isHistory === true)) return '';
  return events.map(({ isHistory }) => (isHistory === true ? '1' : '0')).join('');
}
