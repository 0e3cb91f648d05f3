import { ALL_SESSIONS, type EventName, isSessionsOfKey } from '@wafleet/contract';
import type { EncodedEvent } from './encoded-event.js';
import type { EventReceiver } from './event-receiver.js';
import { KeyLists } from './key-lists.js';
import { addOne, deleteOne, forEachOne, hasOne, type OneOrMore } from './one-or-more.js';

type Receivers = OneOrMore<EventReceiver>;

/**
 * The clients of this edge that take events of one tenant, by what they take: of one session, of a key's list, or all.
 */
export class SubscriberIndex {
  readonly #ofAll = new Map<EventName, Receivers>();
  readonly #ofKeys = new KeyLists();
  readonly #ofOne = new Map<string, Map<EventName, Receivers>>();

  get isEmpty(): boolean {
    return this.#ofAll.size === 0 && this.#ofOne.size === 0 && this.#ofKeys.isEmpty;
  }

  /**
   * @param session its id, ALL_SESSIONS, or what `sessionsOfKey` returns.
   * @param list the sessions of the receiver's API key, if that has a list.
   * @throws {Error} for the sessions of a key without a list.
   */
  join(
    session: string,
    event: EventName,
    receiver: EventReceiver,
    list: ReadonlySet<string> | undefined,
  ): void {
    if (session === ALL_SESSIONS) {
      addOne(this.#ofAll, event, receiver);
      return;
    }
    if (isSessionsOfKey(session)) {
      if (list === undefined) throw new Error('the API key has no list of sessions');
      this.#ofKeys.join(session, list, event, receiver);
      return;
    }
    let taken = this.#ofOne.get(session);
    if (taken === undefined) {
      taken = new Map();
      this.#ofOne.set(session, taken);
    }
    addOne(taken, event, receiver);
  }

  leave(session: string, event: EventName, receiver: EventReceiver): void {
    if (session === ALL_SESSIONS) {
      deleteOne(this.#ofAll, event, receiver);
      return;
    }
    if (isSessionsOfKey(session)) {
      this.#ofKeys.leave(session, event, receiver);
      return;
    }
    const taken = this.#ofOne.get(session);
    if (taken === undefined) return;
    deleteOne(taken, event, receiver);
    if (taken.size === 0) this.#ofOne.delete(session);
  }

  /**
   * Gives the event once to each client that takes it.
   * @returns the number of these clients.
   */
  deliver(event: EncodedEvent): number {
    const ofAll = this.#ofAll.get(event.event);
    let given = ofAll === undefined ? 0 : give(ofAll, event, []);
    if (this.#ofOne.size === 0 && this.#ofKeys.isEmpty) return given;
    const served: Receivers[] = ofAll === undefined ? [] : [ofAll];
    for (const ofKey of this.#ofKeys.receiversOf(event.sessionId, event.event)) {
      given += give(ofKey, event, served);
      served.push(ofKey);
    }
    const ofOne = this.#ofOne.get(event.sessionId)?.get(event.event);
    return ofOne === undefined ? given : given + give(ofOne, event, served);
  }
}

/** @param served the clients that got the event before. */
function give(receivers: Receivers, event: EncodedEvent, served: readonly Receivers[]): number {
  let given = 0;
  forEachOne(receivers, (receiver) => {
    if (served.some((those) => hasOne(those, receiver))) return;
    receiver.deliver(event);
    given += 1;
  });
  return given;
}
