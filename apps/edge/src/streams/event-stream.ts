import { setTimeout as delay } from 'node:timers/promises';
import { type Continuation, comparePositions, type EventPosition, formatEventId } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { EventLog, LoggedEvent, LogPage } from '@wafleet/store';
import { z } from 'zod';
import { EncodedEvent } from '../fanout/encoded-event.js';
import type { EventSink } from './event-sink.js';
import type { Snapshots } from './snapshots.js';
import { SubscriptionSet } from './subscription-set.js';
import { following, type LostRange, previous, type TenantStream } from './tenant-stream.js';
import type { StreamMember, TenantStreams } from './tenant-streams.js';

/** Events that one read of the log asks for. */
const PAGE = 500;
/** A replay goes on when less than this is unsent: it must not fill the memory for a client that reads slowly. */
const REPLAY_BELOW_BYTES = 256 * 1024;
const RETRY_MS = 500;

const expiringSchema = z.looseObject({ expiresAt: z.string() });

/** What every client's stream is made of. */
export interface StreamResources {
  readonly streams: TenantStreams;
  readonly log: Pick<EventLog, 'read'>;
  readonly snapshots: Snapshots;
  readonly logger: Logger;
}

interface EventStreamOptions {
  readonly tenantId: string;
  readonly sink: EventSink;
  /** Shared by all streams of an edge. */
  readonly resources: StreamResources;
}

/** Where a subscription begins. */
export interface Beginning {
  /** undefined for events from now on. */
  readonly since: EventPosition | undefined;
  /** Whether the client is told how its sessions are although it has its history. */
  readonly isIntroduced?: boolean;
}

/** A subscription that is on its way. */
export interface Started {
  /** What is subscribed to comes from here on. */
  readonly start: EventPosition;
  readonly continuation: Continuation;
  /** Tells the client what it missed, after the acknowledgement, and makes the subscription live. Never rejects. */
  readonly proceed: () => Promise<void>;
}

/**
 * One client's place in its tenant's stream.
 *
 * A client is live, or its events are being read from the log: what it missed, up to where the tenant's stream is, and
 * then it is live again, without a gap and without an event twice. While the log is read the client gets nothing else,
 * so that all its events keep their order; those of subscriptions that were live before are read along.
 */
export class EventStream implements StreamMember {
  readonly subscription = new SubscriptionSet();
  readonly #tenantId: string;
  readonly #sink: EventSink;
  readonly #resources: StreamResources;
  #stream: TenantStream | undefined;
  /** Everything up to here that is subscribed to was given to the sink; undefined without a subscription. */
  #given: EventPosition | undefined;
  #isLive = false;
  /** The log was read up to here while the channel was behind it: so far the channel brings nothing new. */
  #repeatsUpTo: EventPosition | undefined;

  constructor({ tenantId, sink, resources }: EventStreamOptions) {
    this.#tenantId = tenantId;
    this.#sink = sink;
    this.#resources = resources;
  }

  /** Everything up to here that is subscribed to was given to the sink; undefined without a subscription. */
  get given(): EventPosition | undefined {
    const live = this.#isLive ? this.#stream?.position : undefined;
    return this.#given === undefined || live === undefined ? this.#given : latest(this.#given, live);
  }

  /** An event that is published, and that the sink has asked for. */
  deliver(event: EncodedEvent): void {
    if (!this.#isLive) return;
    if (this.#repeatsUpTo !== undefined) {
      if (comparePositions(event.position, this.#repeatsUpTo) <= 0) return;
      this.#repeatsUpTo = undefined;
    }
    this.#sink.write(event);
  }

  lost(range: LostRange): void {
    if (this.#isLive) this.#sink.tellReset(range);
  }

  /**
   * Begins to subscribe: finds out where it starts. A client that does not get its whole history is told how its
   * sessions are. Requests must come one after the other, the next one when `proceed` of the one before has resolved.
   * @throws {WafleetError} UNAVAILABLE
   */
  async subscribe(
    subscription: SubscriptionSet,
    { since, isIntroduced = false }: Beginning,
  ): Promise<Started> {
    const tenantId = this.#tenantId;
    const { streams, log } = this.#resources;
    this.#stream = await streams.ready(tenantId);
    // What the client has been given may be ahead of the stream: what came before it would be out of order now.
    const now = (this.#isLive ? this.given : undefined) ?? this.#stream.position;
    if (now === undefined) throw new Error('a stream that is ready has a position');
    if (since === undefined) {
      return {
        start: now,
        continuation: { position: formatEventId(now) },
        proceed: () => this.#catchUp(subscription, now, undefined, () => this.#introduce(subscription, now)),
      };
    }
    const page = await log.read(tenantId, { after: since, count: PAGE });
    const lost = page.isContinuous ? undefined : lostRange(since, page);
    const start = lost === undefined ? since : previous(lost.before);
    return {
      start,
      continuation: { position: formatEventId(start), recovered: lost === undefined },
      proceed: () =>
        this.#catchUp(subscription, start, page, async () => {
          if (lost !== undefined) this.#sink.tellReset(lost);
          if (lost !== undefined || isIntroduced) await this.#introduce(subscription, start);
        }),
    };
  }

  async #catchUp(
    added: SubscriptionSet,
    since: EventPosition,
    firstPage: LogPage | undefined,
    introduce: () => Promise<void>,
  ): Promise<void> {
    const isReplay = firstPage !== undefined;
    const [tenantId, sink] = [this.#tenantId, this.#sink];
    const { logger } = this.#resources;
    const liveBefore = this.#isLive ? this.given : undefined;
    const fresh = added.startingAfter(since);
    const isWanted = ({ position, sessionId, event }: LoggedEvent) => {
      const isNew = liveBefore === undefined || isBefore(liveBefore, position);
      if (isNew && this.subscription.has(sessionId, event)) return true;
      const wasGiven = !isNew && this.subscription.covers(sessionId, event, position);
      return (isReplay || !wasGiven) && fresh.covers(sessionId, event, position);
    };
    this.#isLive = false;
    // The stream may be behind what the client has heard of elsewhere; what was live before is owed from there.
    const isAhead = liveBefore !== undefined && isBefore(liveBefore, since);
    this.#given = isAhead ? liveBefore : since;
    try {
      await introduce();
    } catch (error) {
      logger.warn({ err: error, tenantId }, 'a client was not told how its sessions are');
    }
    let page = isAhead ? undefined : firstPage;
    // What was read from the log before may be ahead of the stream still: the same events will come from there.
    const target = () => latest(this.#stream?.position ?? since, latest(liveBefore ?? since, since));
    while (sink.isOpen && (page !== undefined || isBefore(this.#given, target()))) {
      const before = target();
      const isFirst = page !== undefined;
      try {
        page ??= await this.#read(this.#given);
        if (!sink.isOpen) return;
        await this.#write(page.events.filter((event) => isWanted(event) && !isStale(event)));
        const hasAdvanced = isBefore(this.#given, page.end);
        if (hasAdvanced) this.#given = page.end;
        // The log has lost what the stream had delivered before it was read.
        if (!hasAdvanced && !isFirst && isBefore(this.#given, before)) break;
        page = undefined;
      } catch (error) {
        logger.warn({ err: error, tenantId }, 'a replay cannot read the log; trying again');
        await delay(RETRY_MS);
      }
    }
    // From here to the end nothing else runs, so that the stream cannot get ahead.
    if (!sink.isOpen) return;
    this.subscription.addAll(fresh);
    sink.goLive(added, this.#given);
    this.#repeatsUpTo = latest(this.#given, liveBefore ?? since);
    this.#isLive = true;
  }

  /** Writes the states of the sessions that a subscription covers. */
  async #introduce(subscription: SubscriptionSet, at: EventPosition): Promise<void> {
    await this.#write(await this.#resources.snapshots.read(this.#tenantId, subscription, at));
  }

  /** Writes no more at once than a client may leave unread. Resolves when little of it is unsent. */
  async #write(events: readonly LoggedEvent[]): Promise<void> {
    const sink = this.#sink;
    let bytes = 0;
    for (const event of events) {
      sink.write(new EncodedEvent(event));
      bytes += event.body.length;
      if (bytes < REPLAY_BELOW_BYTES) continue;
      bytes = 0;
      await sink.drained(REPLAY_BELOW_BYTES);
      if (!sink.isOpen) return;
    }
    await sink.drained(REPLAY_BELOW_BYTES);
  }

  async #read(after: EventPosition): Promise<LogPage> {
    const page = await this.#resources.log.read(this.#tenantId, { after, count: PAGE });
    if (!page.isContinuous) this.#sink.tellReset(lostRange(after, page));
    return page;
  }
}

/** Whether an event shows something to link by that WhatsApp takes no more: nobody should try it. */
function isStale({ event, body }: LoggedEvent): boolean {
  if (event !== 'auth.qr' && event !== 'auth.pairing-code') return false;
  const parsed = expiringSchema.safeParse(JSON.parse(body.toString()));
  return parsed.success && Date.parse(parsed.data.expiresAt) <= Date.now();
}

function lostRange(after: EventPosition, { events, head }: LogPage): LostRange {
  return { after, before: events[0]?.position ?? following(head) };
}

function latest(a: EventPosition, b: EventPosition): EventPosition {
  return comparePositions(a, b) < 0 ? b : a;
}

function isBefore(a: EventPosition, b: EventPosition | undefined): boolean {
  return b !== undefined && comparePositions(a, b) < 0;
}
