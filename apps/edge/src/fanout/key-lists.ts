import type { EventName } from '@wafleet/contract';
import type { EventReceiver } from './event-receiver.js';
import { addOne, deleteOne, forEachOne, type OneOrMore } from './one-or-more.js';

interface KeyList {
  readonly sessions: ReadonlySet<string>;
  readonly receivers: Map<EventName, OneOrMore<EventReceiver>>;
}

/**
 * The clients of one tenant that take events of all sessions of their API key's list. Joining and leaving cost the same
 * whatever the length of the list, except for the first and the last client of a key: the first adds the list to an
 * index of sessions, and the last removes it. So an event finds its lists at once, however many keys have clients here.
 */
export class KeyLists {
  readonly #lists = new Map<string, KeyList>();
  readonly #listsOf = new Map<string, OneOrMore<KeyList>>();

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  /** @param sessions the list of the key, which never changes. */
  join(key: string, sessions: ReadonlySet<string>, event: EventName, receiver: EventReceiver): void {
    let list = this.#lists.get(key);
    if (list === undefined) {
      list = { sessions, receivers: new Map() };
      this.#lists.set(key, list);
      for (const session of sessions) addOne(this.#listsOf, session, list);
    }
    addOne(list.receivers, event, receiver);
  }

  leave(key: string, event: EventName, receiver: EventReceiver): void {
    const list = this.#lists.get(key);
    if (list === undefined) return;
    deleteOne(list.receivers, event, receiver);
    if (list.receivers.size > 0) return;
    this.#lists.delete(key);
    for (const session of list.sessions) deleteOne(this.#listsOf, session, list);
  }

  /**
   * The receivers of an event of a session: the clients of each key whose list names it. A client belongs to one key
   * only.
   */
  receiversOf(session: string, event: EventName): readonly OneOrMore<EventReceiver>[] {
    const lists = this.#listsOf.get(session);
    const found: OneOrMore<EventReceiver>[] = [];
    if (lists === undefined) return found;
    forEachOne(lists, ({ receivers }) => {
      const those = receivers.get(event);
      if (those !== undefined) found.push(those);
    });
    return found;
  }
}
