import { setTimeout as delay } from 'node:timers/promises';
import {
  type Continuation,
  comparePositions,
  type EventName,
  type EventPosition,
  formatEventId,
  type Subscription,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { EventLog, LoggedEvent, LogPage } from '@wafleet/store';
import { z } from 'zod';
import { EncodedEvent } from '../fanout/encoded-event.js';
import type { EventSink } from './event-sink.js';
import { REPLAY_PAGE_BYTES, type Replay, type ReplayGate, type ReplayOwner } from './replay-gate.js';
import type { Snapshots } from './snapshots.js';
import { SubscriptionSet } from './subscription-set.js';
import { following, type LostRange, previous, type TenantStream } from './tenant-stream.js';
import type { StreamMember, TenantStreams } from './tenant-streams.js';

/**
 * Events that one read of the log looks at. Handing them out takes a millisecond or two, and all others wait for that.
 */
const PAGE = 250;
/** A replay reads on when at most this much is unsent, so that nothing is held for a client that does not read. */
const REPLAY_BELOW_BYTES = 64 * 1024;
/** How many subscriptions of one client may wait for their replay. The next request waits until there are fewer. */
const MAX_OWED = 4;
const RETRY_MS = 500;

const expiringSchema = z.looseObject({ expiresAt: z.string() });

/** What every client's stream is made of. */
export interface StreamResources {
  readonly streams: TenantStreams;
  readonly log: Pick<EventLog, 'read'>;
  readonly snapshots: Snapshots;
  /** Gives replays their turns. */
  readonly replays: ReplayGate;
  readonly logger: Logger;
}

interface EventStreamOptions {
  readonly owner: ReplayOwner;
  readonly sink: EventSink;
  /** Shared by all streams of an edge. */
  readonly resources: StreamResources;
}

/** Where a subscription begins. */
export interface Beginning {
  /** undefined for events from now on. */
  readonly since: EventPosition | undefined;
  /** Whether the client gets the state of its sessions although it has its history. */
  readonly isIntroduced?: boolean;
}

/** A subscription that is on its way. */
export interface Started {
  /** Events of the subscription come from here on. */
  readonly start: EventPosition;
  readonly continuation: Continuation;
  /** Sends the client what it missed, after the acknowledgement, and makes the subscription live. Never rejects. */
  readonly proceed: () => Promise<void>;
}

/** A subscription that is not live yet. */
interface Owed {
  readonly set: SubscriptionSet;
  /** The client was given its events up to here. */
  from: EventPosition;
  /** Whether the client asked for earlier events: it then gets those again, too. */
  readonly isReplay: boolean;
}

interface CatchUp {
  readonly added: SubscriptionSet;
  readonly since: EventPosition;
  readonly isReplay: boolean;
  readonly introduce: (replay: Replay) => Promise<void>;
}

/**
 * One client's place in its tenant's stream.
 *
 * A client is live, or its events are being read from the log: what it missed, up to where the tenant's stream is. Then
 * it is live again, without a gap and without an event twice. While the log is read, the client gets nothing else, so
 * that all its events keep their order. Events of subscriptions that were live before are read along.
 */
export class EventStream implements StreamMember {
  readonly subscription = new SubscriptionSet();
  readonly #owner: ReplayOwner;
  readonly #sink: EventSink;
  readonly #resources: StreamResources;
  #stream: TenantStream | undefined;
  /** Everything subscribed to was given to the sink up to here; undefined without a subscription. */
  #given: EventPosition | undefined;
  #isLive = false;
  /** The log was read up to here while the channel was behind: up to here the channel brings nothing new. */
  #repeatsUpTo: EventPosition | undefined;
  /** The replay under way. */
  #replay: Replay | undefined;
  /** Subscriptions that are not live yet: being replayed, or interrupted. */
  #owed: Owed[] = [];
  /**
   * Everything that is live, or was live before a replay that was interrupted, was given up to here; undefined for
   * nothing.
   */
  #paused: EventPosition | undefined;
  #isClosed = false;
  /** Stops counting this client among those that are given what they missed. */
  #leaveReplays: (() => void) | undefined;
  /** Whether the client has asked for something else meanwhile. A replay then stops after the page under way. */
  hasNewRequest: () => boolean = () => false;

  constructor({ owner, sink, resources }: EventStreamOptions) {
    this.#owner = owner;
    this.#sink = sink;
    this.#resources = resources;
  }

  /** Everything subscribed to was given to the sink up to here; undefined without a subscription. */
  get given(): EventPosition | undefined {
    const live = this.#isLive ? this.#stream?.position : undefined;
    return this.#given === undefined || live === undefined ? this.#given : latest(this.#given, live);
  }

  /** Delivers a published event that the sink has asked for. */
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

  /** Everything that is subscribed to, live or not. */
  get subscribed(): SubscriptionSet {
    return this.#owed.reduce(
      (all, { set }) => all.union(set),
      this.subscription.union(new SubscriptionSet()),
    );
  }

  /**
   * Ends the replay under way after the page that is being read. What the client asks for next is read along with the
   * rest. `subscribe` or `resume` must follow.
   */
  interrupt(): void {
    if (this.#owed.length < MAX_OWED) this.#replay?.interrupt();
  }

  /** Ends events, live or not. See SubscriptionSet. */
  protected remove(subscription: Subscription): void {
    this.subscription.remove(subscription);
    for (const { set } of this.#owed) set.remove(subscription);
    this.#owed = this.#owed.filter(({ set }) => !set.isEmpty);
  }

  /** Ends what waits for a turn. Call it when the client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#replay?.cancel();
    this.#uncount();
  }

  /** Continues what was interrupted, if anything. Never rejects. */
  async resume(): Promise<void> {
    const given = this.#given;
    if (this.#owed.length === 0) this.#uncount();
    if (this.#isLive || this.#isClosed || given === undefined) return;
    await this.#catchUp(new SubscriptionSet(), given, false, async () => {});
  }

  /**
   * Begins to subscribe: finds out where the subscription starts. A client that does not get its whole history gets the
   * state of its sessions. Requests must come one after the other: the next one when `proceed` of the one before has
   * resolved, which it does early after `interrupt`.
   * @throws {WafleetError} UNAVAILABLE, TOO_MANY_REPLAYS
   */
  async subscribe(
    subscription: SubscriptionSet,
    { since, isIntroduced = false }: Beginning,
  ): Promise<Started> {
    const { tenantId } = this.#owner;
    const { streams, log } = this.#resources;
    if (since !== undefined) await this.#count();
    this.#stream = await streams.ready(tenantId);
    // The client may be ahead of the stream: earlier events would be out of order now.
    const now = (this.#isLive ? this.given : undefined) ?? this.#stream.position;
    if (now === undefined) throw new Error('a stream that is ready has a position');
    if (since === undefined) {
      return {
        start: now,
        continuation: { position: formatEventId(now) },
        proceed: () =>
          this.#catchUp(subscription, now, false, (replay) => this.#introduce(replay, subscription, now)),
      };
    }
    // The events themselves are read when their turn comes.
    const page = await log.read(tenantId, { after: since, count: 0 });
    const lost = page.isContinuous ? undefined : lostRange(since, page);
    const start = lost === undefined ? since : previous(lost.before);
    return {
      start,
      continuation: { position: formatEventId(start), recovered: lost === undefined },
      proceed: () =>
        this.#catchUp(subscription, start, true, async (replay) => {
          if (lost !== undefined) this.#sink.tellReset(lost);
          if (lost !== undefined || isIntroduced) await this.#introduce(replay, subscription, start);
        }),
    };
  }

  /** Counts this client among those that are given what they missed, until it is live or gone. */
  async #count(): Promise<void> {
    this.#leaveReplays ??= await this.#resources.replays.admit(this.#owner);
    if (this.#isClosed) this.#uncount();
  }

  #uncount(): void {
    this.#leaveReplays?.();
    this.#leaveReplays = undefined;
  }

  async #catchUp(
    added: SubscriptionSet,
    since: EventPosition,
    isReplay: boolean,
    introduce: (replay: Replay) => Promise<void>,
  ): Promise<void> {
    const replay = this.#resources.replays.begin(this.#owner);
    this.#replay = replay;
    if (this.#isClosed) replay.cancel();
    try {
      await this.#replayTo(replay, { added, since, isReplay, introduce });
    } finally {
      this.#replay = undefined;
      replay.end();
    }
  }

  async #replayTo(replay: Replay, { added, since, isReplay, introduce }: CatchUp): Promise<void> {
    const sink = this.#sink;
    const { logger } = this.#resources;
    const { tenantId } = this.#owner;
    const before = this.#isLive ? this.given : this.#paused;
    this.#isLive = false;
    this.#paused = before;
    this.#owe({ set: added.startingAfter(since), from: since, isReplay });
    const isWanted = ({ position, sessionId, event }: LoggedEvent) => {
      const isNew = before === undefined || isBefore(before, position);
      const wasSubscribed = this.subscription.covers(sessionId, event, position);
      if (isNew && wasSubscribed) return true;
      return this.#owed.some(
        (owed) =>
          isBefore(owed.from, position) &&
          (owed.isReplay || !wasSubscribed) &&
          owed.set.covers(sessionId, event, position),
      );
    };
    // The stream may be behind what the client got elsewhere; what was live before is owed from there.
    const starts = this.#owed.map(({ from }) => from);
    this.#given = [...starts, ...(before === undefined ? [] : [before])].reduce(earliest, since);
    const isReplayOfAll = isReplay && comparePositions(this.#given, since) === 0;
    try {
      await introduce(replay);
    } catch (error) {
      logger.warn({ err: error, tenantId }, 'could not send a client the states of its sessions');
    }
    // What was read from the log may still be ahead of the stream: the stream will bring the same events.
    const furthest = [...starts, ...(before === undefined ? [] : [before])].reduce(latest, since);
    const target = () => latest(this.#stream?.position ?? since, furthest);
    const { names } = this.subscribed;
    let isFirst = isReplayOfAll;
    while (sink.isOpen && (isFirst || isBefore(this.#given, target()))) {
      const aim = target();
      try {
        await sink.drained(REPLAY_BELOW_BYTES);
        if (!sink.isOpen) return;
        if (this.#owed.length < MAX_OWED && this.hasNewRequest()) replay.interrupt();
        const page = await this.#read(replay, this.#given, names);
        if (!sink.isOpen) return;
        if (page === undefined) {
          this.#pause(before);
          return;
        }
        for (const event of page.events) {
          if (isWanted(event) && !isStale(event)) sink.write(new EncodedEvent(event));
        }
        const hasAdvanced = isBefore(this.#given, page.end);
        if (hasAdvanced) this.#given = page.end;
        // The log has lost what the stream had delivered before it was read.
        if (!hasAdvanced && !isFirst && isBefore(this.#given, aim)) break;
        isFirst = false;
      } catch (error) {
        logger.warn({ err: error, tenantId }, 'a replay cannot read the log; trying again');
        await delay(RETRY_MS);
      }
    }
    // From here to the end nothing else runs, so the stream cannot get ahead.
    if (!sink.isOpen) return;
    const isLiveNow = new SubscriptionSet();
    for (const { set } of this.#owed.splice(0)) isLiveNow.addAll(set);
    this.subscription.addAll(isLiveNow);
    sink.goLive(isLiveNow, this.#given);
    this.#repeatsUpTo = latest(this.#given, before ?? since);
    this.#paused = undefined;
    this.#isLive = true;
    this.#uncount();
  }

  /** Notes what must be replayed, and drops earlier notes that it covers. */
  #owe(owed: Owed): void {
    if (owed.set.isEmpty) return;
    const replacesIt = (other: Owed) =>
      owed.isReplay && !isBefore(other.from, owed.from) && owed.set.includes(other.set);
    this.#owed = [...this.#owed.filter((other) => !replacesIt(other)), owed];
  }

  /** Notes how far everything that is not live was given. */
  #pause(before: EventPosition | undefined): void {
    const given = this.#given;
    if (given === undefined) return;
    this.#paused = before && latest(before, given);
    for (const owed of this.#owed) owed.from = latest(owed.from, given);
  }

  /** Writes the states of the sessions that a subscription covers. */
  async #introduce(replay: Replay, subscription: SubscriptionSet, at: EventPosition): Promise<void> {
    const sink = this.#sink;
    const parts = this.#resources.snapshots.read(this.#owner.tenantId, subscription, at);
    for (;;) {
      await sink.drained(REPLAY_BELOW_BYTES);
      if (!sink.isOpen) return;
      const part = await replay.read(
        () => parts.next(),
        (result) => (result.done === true ? 0 : result.value.cost),
      );
      if (part === undefined || part.done === true || !sink.isOpen) return;
      for (const event of part.value.events) sink.write(new EncodedEvent(event));
    }
  }

  /** Resolves to undefined if the replay was interrupted or cancelled. */
  async #read(
    replay: Replay,
    after: EventPosition,
    names: readonly EventName[],
  ): Promise<LogPage | undefined> {
    const request = { after, count: PAGE, maxBytes: REPLAY_PAGE_BYTES, names };
    const page = await replay.readOn(
      () => this.#resources.log.read(this.#owner.tenantId, request),
      ({ bytes }) => bytes,
    );
    if (page !== undefined && !page.isContinuous) this.#sink.tellReset(lostRange(after, page));
    return page;
  }
}

/** Whether an event shows a code for linking that WhatsApp no longer takes, as far as that can be read. */
function isStale({ event, body }: LoggedEvent): boolean {
  if (event !== 'auth.qr' && event !== 'auth.pairing-code') return false;
  try {
    const { expiresAt } = expiringSchema.parse(JSON.parse(body.toString()));
    return !(Date.parse(expiresAt) > Date.now());
  } catch {
    // A client should not try what cannot be read either.
    return true;
  }
}

function lostRange(after: EventPosition, { first, head }: LogPage): LostRange {
  return { after, before: first ?? following(head) };
}

function latest(a: EventPosition, b: EventPosition): EventPosition {
  return comparePositions(a, b) < 0 ? b : a;
}

function earliest(a: EventPosition, b: EventPosition): EventPosition {
  return comparePositions(a, b) > 0 ? b : a;
}

function isBefore(a: EventPosition, b: EventPosition | undefined): boolean {
  return b !== undefined && comparePositions(a, b) < 0;
}
