import {
  comparePositions,
  DEFAULT_TENANT_LIMITS,
  type EventName,
  type EventPosition,
  MAX_EVENT_BYTES,
} from '@wafleet/contract';
import type { SealedSecret } from '../messages/message-secrets.js';
import type { RedisConnection } from '../redis/connection.js';
import { channels, keys } from '../redis/keyspace.js';
import { asBuffer, asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence } from '../sessions/session-ref.js';
import { LogLooks } from './log-looks.js';
import { type LoggedEvent, parseLoggedEvent, parsePosition } from './logged-event.js';

/** An event on its way into the log. */
export interface OutgoingEvent {
  readonly event: EventName;
  /** The payload without its eventId: the text of a JSON object with at least one field, so it begins with `{"`. */
  readonly body: string;
  /** Whether it is a part of a history: of that a share of the log is kept, which never displaces a live event. */
  readonly isHistory?: boolean;
}

/** Where a page of the log begins and how long it is. */
export interface PageRequest {
  /** undefined for the very first event of the log. */
  readonly after: EventPosition | undefined;
  /** How many events at most; 0 for none. */
  readonly count: number;
  /** The page ends with the event at which it reaches this many bytes. Default 512 KiB. */
  readonly maxBytes?: number;
  /** Names of events; others are looked at and left out. Default all. */
  readonly names?: readonly EventName[];
}

/** An event was larger than a log takes; nothing of its batch was written. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
  /** The first one that is too large. */
  readonly event: OutgoingEvent;

  constructor(event: OutgoingEvent) {
    super(`${event.event} has ${Buffer.byteLength(event.body)} bytes`);
    this.event = event;
  }
}

/** What the log takes of one event: its payload, and what Redis has before it. */
const MAX_LOGGED_BYTES = MAX_EVENT_BYTES + 1024;

/** A part of a tenant's log, as it was at one moment. */
export interface LogPage {
  /**
   * Oldest first. One directly after the other, except for events that were not asked for and those whose name this
   * release does not know; so a page ends before a gap.
   */
  readonly events: readonly LoggedEvent[];
  /** The position of the first event after the one that was asked for, wanted or not; undefined if there is none. */
  readonly first: EventPosition | undefined;
  /** How many bytes of the log Redis looked through to make the page. */
  readonly bytes: number;
  /**
   * Whether the log has everything that it ever had between the position that was asked for and the first event of
   * the page, or the head if the page has none.
   */
  readonly isContinuous: boolean;
  /** The position of the log's last event, `0-0` when there was none yet. It may be before the one asked for. */
  readonly head: EventPosition;
  /**
   * How far the page goes: what comes next is read after this position. That of the last event that was looked at;
   * without one the position that was asked for if the page is continuous, else the head.
   */
  readonly end: EventPosition;
}

/** How much of a log is kept. Default: `EVENT_LOG_BOUNDS`, and the limits of the contract. */
export interface EventLogBounds {
  readonly maxLength?: number;
  readonly maxAgeMs?: number;
  /** Bytes of live events, of a tenant that has no limit of its own. */
  readonly logBytes?: number;
  /** Bytes of parts of histories, likewise. */
  readonly historyBytes?: number;
}

/** Where a page ends, unless another size is asked for: what one read may take of Redis' time, about a millisecond. */
const LOG_PAGE_BYTES = 512 * 1024;

/** How much of a log is kept, where nothing else was asked for: the last 10,000 events, for 24 hours. */
export const EVENT_LOG_BOUNDS = { maxLength: 10_000, maxAgeMs: 24 * 60 * 60 * 1000 } as const;

/**
 * For how long a writer may append after it had an append look at the server's life. A server that loses its role to
 * another one, copies its data and gets the role back takes longer.
 */
const LIFE_KNOWN_MS = 1_000;

/** The position of a log without events. */
const NOTHING: EventPosition = { epoch: '0', seq: 0 };

/** An epoch that a log can have given: its numbers are those of a stream's entry ids. */
const STREAM_EPOCH = /^[0-9]{1,15}$/;

const appendEvents = new FencedScript(
  'events/append-events',
  (reply) => parsePosition(asText(reply)) ?? NOTHING,
);

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
 * A tenant's events, in one Redis stream. `append` checks the fence, counts, stores and publishes in one script, so
 * the order in the log is the order on the channel (see EventChannel), positions have no gaps within an epoch, and
 * events of one call stand next to each other in the order given.
 *
 * No position is ever given to two events. A Redis that was restarted, or a replica that was promoted, may lack the
 * end of the log; there the next append begins a new epoch. Epochs rise, and the events of earlier ones stay.
 *
 * The log keeps about `maxLength` events and none for much longer than `maxAgeMs` (by a thirty-second part, and as
 * much again; after that a tenant's own appends delete it, each a bounded part). It keeps about the newest `logBytes` of
 * live events, which each writer counts in steps of at most 128 KiB, and beside them the newest `historyBytes` of parts
 * of histories, which never displace a live event. A part that is deleted leaves a gap, which `read` tells like any
 * other. All writers of a log should be given the same bounds; readers need none.
 */
export class EventLog {
  readonly #redis: RedisConnection;
  readonly #maxLength: number;
  readonly #maxAgeMs: number;
  readonly #logBytes: number;
  readonly #historyBytes: number;
  /** The last look at the server's life that succeeded: when it was asked for, and on which connection to Redis. */
  #life: { at: number; stream: unknown } = { at: Number.NEGATIVE_INFINITY, stream: undefined };
  #isLookingAtLife = false;
  readonly #looks: LogLooks;

  constructor(redis: RedisConnection, bounds: EventLogBounds = {}) {
    this.#redis = redis;
    this.#logBytes = bounds.logBytes ?? DEFAULT_TENANT_LIMITS.logBytes;
    this.#historyBytes = bounds.historyBytes ?? DEFAULT_TENANT_LIMITS.historyBytes;
    this.#maxLength = bounds.maxLength ?? EVENT_LOG_BOUNDS.maxLength;
    this.#maxAgeMs = bounds.maxAgeMs ?? EVENT_LOG_BOUNDS.maxAgeMs;
    this.#looks = new LogLooks({ maxAgeMs: this.#maxAgeMs, logBytes: this.#logBytes });
  }

  /**
   * Appends and publishes events of the fence's session; all of them or none.
   * @param options.batch the number of these events' batch under this fence. The batch that was appended last may be
   * given again, when its answer was lost: it is not appended a second time, and its positions are the same. Without
   * a number, a repeated call repeats the events.
   * @param options.usesUp fields of the session's credentials that are deleted in the same step: what was kept until
   * these events are in the log.
   * @param options.finishes digests of the messages that are finished with these events; see ProcessedMessages.
   * @param options.secrets secrets of messages that are kept in the same step; see MessageSecrets.
   * @throws {FencedError} when the fence is no longer the session's owner.
   * @throws {EventTooLargeError} when a body has more than MAX_EVENT_BYTES.
   */
  async append(
    fence: Fence,
    events: readonly OutgoingEvent[],
    {
      batch,
      usesUp = [],
      finishes = [],
      secrets = [],
    }: {
      batch?: number;
      usesUp?: readonly string[];
      finishes?: readonly string[];
      secrets?: readonly SealedSecret[];
    } = {},
  ): Promise<EventPosition[]> {
    const changesSession = usesUp.length > 0 || finishes.length > 0 || secrets.length > 0;
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
    const rarelyUsed = [
      ...(seesLog || changesSession ? [keys.auth(fence), ...keys.finished(fence)] : []),
      ...(seesLog || secrets.length > 0 ? keys.secrets(fence) : []),
      ...(seesLog ? [keys.logMarks(tenantId), keys.logBytes(tenantId)] : []),
      ...(seesLog ? [keys.logHistory(tenantId), keys.tenantLimits(tenantId)] : []),
    ];
    const append = this.#lookingAtLife(now, (seesLife) =>
      appendEvents.run(
        this.#redis,
        keys.owner(fence),
        fence,
        [keys.logHead(tenantId), keys.log(tenantId), channels.events(tenantId), ...rarelyUsed],
        [
          ...[fence.sessionId, batch ?? '', this.#maxLength, seesLife ? 1 : ''],
          seesLog
            ? `${seesAge ? this.#maxAgeMs : ''} ${countedBytes} ${this.#logBytes} ${this.#historyBytes} ${marks}`
            : '',
          usesUp.length + secrets.length > 0 ? `${usesUp.length} ${secrets.length}` : '',
          finishes.join(''),
          ...usesUp,
          ...secrets.flatMap(({ id, sealed }) => [id, sealed]),
          ...events.flatMap(({ event, body }) => [event, body.slice(1)]),
        ],
      ),
    );
    const { epoch, seq } = await append.catch((error: unknown) => {
      look.failed();
      throw error;
    });
    look.succeeded();
    return events.map((_, index) => ({ epoch, seq: seq + index }));
  }

  /**
   * Runs an append, and tells it to look at the server's life where the last look is too long ago or was made on
   * another connection, which may have led to another server. Looks are dear: before that, one append at a time does
   * it for all, of whatever tenant, since the life is the server's.
   */
  async #lookingAtLife<T>(now: number, run: (looks: boolean) => Promise<T>): Promise<T> {
    const { status, stream } = this.#redis;
    const isSameConnection = status === 'ready' && stream === this.#life.stream;
    const knownForMs = isSameConnection ? now - this.#life.at : Number.POSITIVE_INFINITY;
    if (knownForMs < (this.#isLookingAtLife ? LIFE_KNOWN_MS : LIFE_KNOWN_MS / 2)) return run(false);
    this.#isLookingAtLife = true;
    try {
      const result = await run(true);
      this.#life = { at: now, stream };
      return result;
    } finally {
      this.#isLookingAtLife = false;
    }
  }

  /**
   * The events after a position, oldest first: at most `count`, and no more once they have `maxBytes` together; at
   * least one, if there is one. Where the log lacks what came directly after the position, the page begins with the
   * oldest event that is kept after it; for a position that no log can have given, with the oldest of all.
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

  /** The position of the tenant's last event; `0-0` when there was none yet. */
  async position(tenantId: string): Promise<EventPosition> {
    const { head } = await this.read(tenantId, { after: undefined, count: 0 });
    return head;
  }
}

/** For the script: which events are of a history, `''` if none is. */
function historyMarks(events: readonly OutgoingEvent[]): string {
  if (!events.some(({ isHistory }) => isHistory === true)) return '';
  return events.map(({ isHistory }) => (isHistory === true ? '1' : '0')).join('');
}
