import type { EventName, EventPosition } from '@wafleet/contract';
import type { RedisConnection } from './connection.js';
import { channels, keys } from './keyspace.js';
import { type LoggedEvent, parseLoggedEvent, parsePosition } from './logged-event.js';
import { asBuffer, asList, asNumber, asText } from './reply.js';
import { FencedScript, Script } from './script.js';
import type { Fence } from './session-ref.js';

/** An event on its way into the log. */
export interface OutgoingEvent {
  readonly event: EventName;
  /** The payload without its eventId: the text of a JSON object with at least one field, so it begins with `{"`. */
  readonly body: string;
}

/** A part of a tenant's log, as it was at one moment. */
export interface LogPage {
  /** Oldest first, one directly after the other. Those whose name this release does not know are left out. */
  readonly events: readonly LoggedEvent[];
  /**
   * Whether the log has everything that it ever had between the position that was asked for and the first event of
   * the page, or the head if the page has none.
   */
  readonly isContinuous: boolean;
  /** The position of the log's last event, `0-0` when there was none yet. It may be before the one asked for. */
  readonly head: EventPosition;
  /**
   * How far the page goes: what comes next is read after this position. That of its last event, known or not; without
   * one the position that was asked for if the page is continuous, else the head.
   */
  readonly end: EventPosition;
}

/** How much of a log is kept, where nothing else was asked for: the last 10,000 events, for 24 hours. */
export const EVENT_LOG_BOUNDS = { maxLength: 10_000, maxAgeMs: 24 * 60 * 60 * 1000 } as const;

/**
 * How often a writer has an append look at what changes slowly, at the most. A server that loses its role to another
 * one, copies its data and gets the role back takes longer.
 */
const LOOK_EVERY_MS = 1_000;

/** The position of a log without events. */
const NOTHING: EventPosition = { epoch: '0', seq: 0 };

/** An epoch that a log can have given: its numbers are those of a stream's entry ids. */
const STREAM_EPOCH = /^[0-9]{1,15}$/;

const appendEvents = new FencedScript('append-events', (reply) => {
  const [epoch, first] = asList(reply);
  return { epoch: asText(epoch), first: asNumber(first) };
});

const readEvents = new Script('read-events', (reply) => {
  const [head, isContinuous, last, messages] = asList(reply);
  return {
    head: asPosition(head),
    isContinuous: asNumber(isContinuous) === 1,
    last: asPosition(last),
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
 * much again). All writers of a log should be given the same bounds; readers need none.
 */
export class EventLog {
  readonly #redis: RedisConnection;
  readonly #maxLength: number;
  readonly #maxAgeMs: number;
  /** When an append of this process looked last, by tenant. */
  readonly #lookedAt = new Map<string, number>();

  constructor(redis: RedisConnection, bounds: { maxLength?: number; maxAgeMs?: number } = {}) {
    this.#redis = redis;
    this.#maxLength = bounds.maxLength ?? EVENT_LOG_BOUNDS.maxLength;
    this.#maxAgeMs = bounds.maxAgeMs ?? EVENT_LOG_BOUNDS.maxAgeMs;
  }

  /**
   * Appends and publishes events of the fence's session; all of them or none.
   * @param options.batch the number of these events' batch under this fence. The batch that was appended last may be
   * given again, when its answer was lost: it is not appended a second time, and its positions are the same. Without
   * a number, a repeated call repeats the events.
   * @param options.usesUp fields of the session's credentials that are deleted in the same step: what was kept until
   * these events are in the log.
   * @throws {FencedError} when the fence is no longer the session's owner.
   */
  async append(
    fence: Fence,
    events: readonly OutgoingEvent[],
    { batch, usesUp = [] }: { batch?: number; usesUp?: readonly string[] } = {},
  ): Promise<EventPosition[]> {
    if (events.length === 0 && usesUp.length === 0) return [];
    if (!events.every(({ body }) => body.startsWith('{"'))) {
      throw new TypeError('an event body must be the text of a JSON object with at least one field');
    }
    const { tenantId } = fence;
    const now = performance.now();
    const lookEveryMs = Math.min(LOOK_EVERY_MS, Math.ceil(this.#maxAgeMs / 32));
    const mustLook = now - (this.#lookedAt.get(tenantId) ?? Number.NEGATIVE_INFINITY) >= lookEveryMs;
    const log = [keys.logHead(tenantId), keys.log(tenantId), keys.logMarks(tenantId)];
    const { epoch, first } = await appendEvents.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [...log, channels.events(tenantId), keys.auth(fence)],
      [
        ...[fence.sessionId, this.#maxLength, this.#maxAgeMs, batch ?? ''],
        ...[lookEveryMs, mustLook ? 1 : '', usesUp.length, ...usesUp],
        ...events.flatMap(({ event, body }) => [event, body.slice(1)]),
      ],
    );
    if (mustLook && events.length > 0) this.#lookedAt.set(tenantId, now);
    return events.map((_, index) => ({ epoch, seq: first + index }));
  }

  /**
   * At most `count` events after a position, oldest first. Where the log lacks what came directly after it, the page
   * begins with the oldest event that is kept after it; for a position that no log can have given, with the oldest of
   * all. Without a position it is read from its very first event on.
   */
  async read(
    tenantId: string,
    { after = NOTHING, count }: { after: EventPosition | undefined; count: number },
  ): Promise<LogPage> {
    const { head, isContinuous, last, messages } = await readEvents.run(
      this.#redis,
      [keys.logHead(tenantId), keys.log(tenantId)],
      [STREAM_EPOCH.test(after.epoch) ? after.epoch : '', after.seq, count],
      { binary: true },
    );
    const events = messages.map(parseLoggedEvent).filter((event) => event !== undefined);
    const end = messages.length > 0 ? last : isContinuous ? after : head;
    return { events, isContinuous, head, end };
  }

  /** The position of the tenant's last event; `0-0` when there was none yet. */
  async position(tenantId: string): Promise<EventPosition> {
    const { head } = await this.read(tenantId, { after: undefined, count: 0 });
    return head;
  }
}
