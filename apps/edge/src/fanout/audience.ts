import { ALL_SESSIONS, type EventName } from '@wafleet/contract';
import type { EncodedEvent } from './encoded-event.js';

/** Takes events. */
export interface EventReceiver {
  deliver(event: EncodedEvent): void;
}

/** One of an event has no set of its own, as most have, which saves a client's memory and an event's time. */
type Receivers = EventReceiver | Set<EventReceiver>;

/** The clients of this edge that take events of one tenant, by what they take: of one session, or of all. */
export class Audience {
  readonly #ofAll = new Map<EventName, Receivers>();
  readonly #ofOne = new Map<string, Map<EventName, Receivers>>();

  get isEmpty(): boolean {
    return this.#ofAll.size === 0 && this.#ofOne.size === 0;
  }

  /** @param session its id, or ALL_SESSIONS. */
  join(session: string, event: EventName, receiver: EventReceiver): void {
    let taken = this.#taken(session);
    if (taken === undefined) {
      taken = new Map();
      this.#ofOne.set(session, taken);
    }
    const present = taken.get(event);
    if (present === undefined) taken.set(event, receiver);
    else if (present instanceof Set) present.add(receiver);
    else if (present !== receiver) taken.set(event, new Set([present, receiver]));
  }

  leave(session: string, event: EventName, receiver: EventReceiver): void {
    const taken = this.#taken(session);
    const present = taken?.get(event);
    if (taken === undefined || present === undefined) return;
    if (present instanceof Set) present.delete(receiver);
    if (present === receiver || (present instanceof Set && present.size === 0)) taken.delete(event);
    if (taken.size === 0) this.#ofOne.delete(session);
  }

  /**
   * Gives the event to each that takes it, once.
   * @returns how many those were.
   */
  deliver(event: EncodedEvent): number {
    const ofAll = this.#ofAll.get(event.event);
    const given = ofAll === undefined ? 0 : give(ofAll, event, undefined);
    if (this.#ofOne.size === 0) return given;
    const ofOne = this.#ofOne.get(event.sessionId)?.get(event.event);
    return ofOne === undefined ? given : given + give(ofOne, event, ofAll);
  }

  #taken(session: string): Map<EventName, Receivers> | undefined {
    return session === ALL_SESSIONS ? this.#ofAll : this.#ofOne.get(session);
  }
}

function give(receivers: Receivers, event: EncodedEvent, except: Receivers | undefined): number {
  if (!(receivers instanceof Set)) return giveOne(receivers, event, except);
  let given = 0;
  for (const receiver of receivers) given += giveOne(receiver, event, except);
  return given;
}

function giveOne(receiver: EventReceiver, event: EncodedEvent, except: Receivers | undefined): 0 | 1 {
  if (except !== undefined && (except instanceof Set ? except.has(receiver) : except === receiver)) return 0;
  receiver.deliver(event);
  return 1;
}
