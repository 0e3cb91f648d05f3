import {
  ALL_SESSIONS,
  comparePositions,
  EVENT_NAMES,
  type EventName,
  type EventPosition,
  eventRoom,
  formatEventId,
  parseEventId,
  type Subscription,
  sessionsOfKey,
} from '@wafleet/contract';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { AllowedSubscription } from '../access/authorize-subscription.js';
import type { Identity } from '../access/identity.js';

/**
 * Sessions, events, and the position after which they are subscribed to, if any. Earlier releases stored one session.
 */
const stored = z.array(
  z.tuple([z.union([z.string(), z.array(z.string())]), z.array(z.enum(EVENT_NAMES)), z.string().optional()]),
);

/** Stands for all sessions of the API key's list. No session has such an id. */
const SESSIONS_OF_KEY = '@key';

const NO_SESSIONS: ReadonlySet<string> = new Set();

const roomNames = new LRUCache<string, string>({ max: 10_000 });

/** Where an event's subscription begins; undefined for as far back as anything is read. */
type Start = EventPosition | undefined;

/**
 * Everything that one client is subscribed to: events of named sessions, of all sessions of its API key's list, or of
 * all sessions, including later ones. Also since when, so that a client that resumes does not get what came before. The
 * sessions of a list are one entry, however many they are.
 */
export class SubscriptionSet {
  readonly #eventsOf = new Map<string, Map<EventName, Start>>();
  /** The sessions that SESSIONS_OF_KEY stands for. All sets of one client that have that entry have the same. */
  #list = NO_SESSIONS;

  /**
   * Parses the result of `toString`. Returns undefined for any other text.
   * @param list the sessions in the list of the client's API key, if it has one.
   */
  static parse(text: string, list?: ReadonlySet<string>): SubscriptionSet | undefined {
    const parsed = stored.safeParse(parseJson(text));
    if (!parsed.success) return undefined;
    const set = new SubscriptionSet();
    for (const [named, events, start] of parsed.data) {
      if (named === SESSIONS_OF_KEY) {
        if (list === undefined) return undefined;
        set.#list = list;
      }
      const from = start === undefined ? undefined : parseEventId(start);
      for (const session of [named].flat()) set.#addTo(session, events, from);
    }
    return set;
  }

  static of({ events, sessions, sessionsOfKey: list }: AllowedSubscription): SubscriptionSet {
    const set = new SubscriptionSet();
    if (list !== undefined) set.#list = list;
    const all = list === undefined ? ALL_SESSIONS : SESSIONS_OF_KEY;
    for (const session of sessions ?? [all]) set.#addTo(session, events, undefined);
    return set;
  }

  get isEmpty(): boolean {
    return this.#eventsOf.size === 0;
  }

  /** Whether the event of the session is subscribed to, at a position. */
  covers(sessionId: string, event: EventName, position: EventPosition): boolean {
    return (
      this.#coversOwn(ALL_SESSIONS, event, position) ||
      this.#coversOwn(sessionId, event, position) ||
      (this.#list.has(sessionId) && this.#coversOwn(SESSIONS_OF_KEY, event, position))
    );
  }

  has(sessionId: string, event: EventName): boolean {
    return (
      this.#hasOwn(ALL_SESSIONS, event) ||
      this.#hasOwn(sessionId, event) ||
      (this.#list.has(sessionId) && this.#hasOwn(SESSIONS_OF_KEY, event))
    );
  }

  /** Whether any of these events is subscribed to, of any session. */
  hasAnyOf(events: readonly EventName[]): boolean {
    return [...this.#eventsOf.values()].some((subscribed) => events.some((event) => subscribed.has(event)));
  }

  /** The events that are subscribed to, of any session. */
  get names(): EventName[] {
    return [...new Set([...this.#eventsOf.values()].flatMap((events) => [...events.keys()]))];
  }

  /**
   * Whether this set has everything that another set of the same client has, whatever their positions. All sessions
   * include any session by name, and those of a key's list.
   */
  includes(other: SubscriptionSet): boolean {
    return [...other.#eventsOf].every(([session, events]) =>
      [...events.keys()].every((event) => this.has(session, event)),
    );
  }

  /** The sessions with a subscription to any of these events; undefined for all. */
  sessionsOf(events: readonly EventName[]): ReadonlySet<string> | undefined {
    const sessions = [...this.#eventsOf]
      .filter(([, subscribed]) => events.some((event) => subscribed.has(event)))
      .map(([session]) => session);
    if (sessions.includes(ALL_SESSIONS)) return undefined;
    // What a key with a list subscribes to by name is in the list.
    return sessions.includes(SESSIONS_OF_KEY) ? this.#list : new Set(sessions);
  }

  addAll(other: SubscriptionSet): void {
    this.#copy(other, (start) => start);
  }

  /** A copy in which everything without a start begins after the position. */
  startingAfter(position: EventPosition): SubscriptionSet {
    const set = new SubscriptionSet();
    set.#copy(this, (start) => start ?? position);
    return set;
  }

  /** A new set with everything that is in either. */
  union(other: SubscriptionSet): SubscriptionSet {
    const set = new SubscriptionSet();
    set.addAll(this);
    set.addAll(other);
    return set;
  }

  /**
   * Ends events. Without `sessions`, they end for all sessions, subscribed by name or by wildcard. With `sessions`,
   * they end for those that were subscribed by name.
   */
  remove({ events, sessions }: Subscription): void {
    for (const session of sessions ?? [...this.#eventsOf.keys()]) {
      const remaining = this.#eventsOf.get(session);
      for (const event of events) remaining?.delete(event);
      if (remaining?.size === 0) this.#eventsOf.delete(session);
    }
  }

  /** Number of rooms that it stands for. */
  get size(): number {
    return [...this.#eventsOf.values()].reduce((sum, events) => sum + events.size, 0);
  }

  rooms({ tenantId, keyId }: Pick<Identity, 'tenantId' | 'keyId'>): string[] {
    return [...this.#eventsOf].flatMap(([session, events]) => {
      const named = session === SESSIONS_OF_KEY ? sessionsOfKey(keyId) : session;
      return [...events.keys()].map((event) => kept(eventRoom(tenantId, named, event)));
    });
  }

  /**
   * Its text for `parse`. Groups sessions with the same events, and names all sessions of the key's list by one word.
   */
  toString(): string {
    const groups = new Map<string, { sessions: string[]; events: EventName[]; start: string | undefined }>();
    for (const [session, events] of this.#eventsOf) {
      const byStart = new Map<string | undefined, EventName[]>();
      for (const [event, start] of events) {
        const text = start && formatEventId(start);
        byStart.set(text, [...(byStart.get(text) ?? []), event]);
      }
      const kind = session === SESSIONS_OF_KEY ? session : '';
      for (const [start, same] of byStart) {
        const name = `${kind} ${start} ${same.join(' ')}`;
        const group = groups.get(name) ?? { sessions: [], events: same, start };
        group.sessions.push(session);
        groups.set(name, group);
      }
    }
    const entries = [...groups.values()].map(({ sessions, events, start }) => [
      sessions.includes(SESSIONS_OF_KEY) ? SESSIONS_OF_KEY : sessions,
      events,
      ...(start === undefined ? [] : [start]),
    ]);
    return JSON.stringify(entries);
  }

  #hasOwn(session: string, event: EventName): boolean {
    return this.#eventsOf.get(session)?.has(event) ?? false;
  }

  #coversOwn(session: string, event: EventName, position: EventPosition): boolean {
    const events = this.#eventsOf.get(session);
    if (events === undefined || !events.has(event)) return false;
    const start = events.get(event);
    return start === undefined || comparePositions(position, start) > 0;
  }

  #copy(other: SubscriptionSet, startOf: (start: Start) => Start): void {
    if (other.#eventsOf.has(SESSIONS_OF_KEY)) this.#list = other.#list;
    for (const [session, events] of other.#eventsOf) {
      for (const [event, start] of events) this.#addTo(session, [event], startOf(start));
    }
  }

  /** What is already subscribed to begins at the earlier of both positions. */
  #addTo(session: string, events: readonly EventName[], start: Start): void {
    const subscribed = this.#eventsOf.get(session) ?? new Map<EventName, Start>();
    this.#eventsOf.set(session, subscribed);
    for (const event of events) {
      subscribed.set(event, subscribed.has(event) ? earlier(subscribed.get(event), start) : start);
    }
  }
}

/** Returns the same string for all: Socket.IO keeps a room's name for each socket that is in it. */
function kept(room: string): string {
  const known = roomNames.get(room);
  if (known === undefined) roomNames.set(room, room);
  return known ?? room;
}

function earlier(one: Start, other: Start): Start {
  if (one === undefined || other === undefined) return undefined;
  return comparePositions(one, other) < 0 ? one : other;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
