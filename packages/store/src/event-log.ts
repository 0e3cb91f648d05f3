import { type EventName, type EventPosition, isEventName, parseEventId } from '@wafleet/contract';
import type { RedisConnection } from './connection.js';
import { channels, keys } from './keyspace.js';
import { asList, asNumber, asText } from './reply.js';
import { FencedScript } from './script.js';
import type { Fence } from './session-ref.js';

/** An event on its way into the log. */
export interface OutgoingEvent {
  readonly event: EventName;
  /** The payload without its eventId: the text of a JSON object with at least one field, so it begins with `{"`. */
  readonly body: string;
}

/** An event of the log. */
export interface LoggedEvent {
  readonly event: EventName;
  readonly sessionId: string;
  readonly position: EventPosition;
  /** The payload as clients get it: the text of a JSON object with `eventId`. */
  readonly body: string;
}

const appendEvents = new FencedScript('append-events', (reply) => {
  const [epoch, first] = asList(reply);
  return { epoch: asText(epoch), first: asNumber(first) };
});

/** An epoch that this log can have given: its numbers are those of a stream's entry ids. */
const STREAM_EPOCH = /^[0-9]{1,15}$/;

/**
 * A tenant's events, in one Redis stream. `append` checks the fence, counts, stores and publishes in one script, so
 * the order in the log is the order on the channel (see EventChannel), positions have no gaps, and events of one call
 * stand next to each other in the order given. The log keeps about `maxLength` events; older ones are trimmed.
 */
export class EventLog {
  readonly #redis: RedisConnection;
  readonly #maxLength: number;

  constructor(redis: RedisConnection, options: { maxLength: number }) {
    this.#redis = redis;
    this.#maxLength = options.maxLength;
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
    const { epoch, first } = await appendEvents.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.logHead(tenantId), keys.log(tenantId), channels.events(tenantId), keys.auth(fence)],
      [
        ...[fence.sessionId, this.#maxLength, batch ?? ''],
        ...[usesUp.length, ...usesUp],
        ...events.flatMap(({ event, body }) => [event, body]),
      ],
    );
    return events.map((_, index) => ({ epoch, seq: first + index }));
  }

  /**
   * At most `count` events after a position, oldest first; from the oldest kept when the position is undefined or
   * none that this log can have given. The first one's position tells whether something in between was trimmed.
   * Events whose name this release does not know are left out.
   */
  async read(
    tenantId: string,
    { after, count }: { after: EventPosition | undefined; count: number },
  ): Promise<LoggedEvent[]> {
    const known = after !== undefined && STREAM_EPOCH.test(after.epoch);
    const start = known ? `(${after.epoch}-${after.seq}` : '-';
    const entries = await this.#redis.xrange(keys.log(tenantId), start, '+', 'COUNT', count);
    return entries
      .map(([id, [, event, , sessionId, , body]]) => toLoggedEvent(id, event, sessionId, body))
      .filter((event) => event !== undefined);
  }

  /** The position of the tenant's last event; undefined when there was none yet. */
  async position(tenantId: string): Promise<EventPosition | undefined> {
    const [epoch, seq] = await this.#redis.hmget(keys.logHead(tenantId), 'epoch', 'seq');
    return epoch == null || seq == null ? undefined : { epoch, seq: Number(seq) };
  }
}

/**
 * Puts an event together from its parts as the log and the channel hold them; undefined when they are no event that
 * this release knows.
 */
export function toLoggedEvent(
  eventId: string,
  event: string | undefined,
  sessionId: string | undefined,
  body: string | undefined,
): LoggedEvent | undefined {
  const position = parseEventId(eventId);
  if (position === undefined || event === undefined || !isEventName(event)) return undefined;
  if (sessionId === undefined || body === undefined) return undefined;
  return { event, sessionId, position, body };
}
