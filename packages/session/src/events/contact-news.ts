import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { LearntPair } from '../baileys/patches/shared-lid-mappings.js';
import { toMappedContact } from '../mapping/contacts.js';
import { listEvents } from '../mapping/list-events.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import type { JsonObject } from '../mapping/normalise.js';

/** How many pairs that Baileys emitted before it stored them are remembered. */
const REMEMBERED_PAIRS = 1_000;

const nameOf = ({ lid, pn }: LearntPair) => `${lid} ${pn}`;

/** News about people that is not published yet: pairs of ids, and usernames. */
export class ContactNews {
  readonly #contacts = new Map<string, JsonObject>();
  readonly #emitted = new Set<string>();

  get isEmpty(): boolean {
    return this.#contacts.size === 0;
  }

  addPairs(pairs: readonly LearntPair[]): void {
    for (const pair of pairs) {
      const name = nameOf(pair);
      if (!this.#emitted.delete(name)) this.#contacts.set(name, toMappedContact(pair));
    }
  }

  addUsername(lid: string, username: string): void {
    this.#contacts.set(`${lid} username`, { id: lid, lid, username });
  }

  /** Returns all news as `contacts.update`, except the pairs that `events` contain themselves, and forgets it. */
  take(events: Partial<BaileysEventMap>): MappedEvent[] {
    for (const pair of events['messaging-history.set']?.lidPnMappings ?? [])
      this.#contacts.delete(nameOf(pair));
    const mapping = events['lid-mapping.update'];
    if (mapping !== undefined && !this.#contacts.delete(nameOf(mapping))) this.#remember(nameOf(mapping));
    const contacts = [...this.#contacts.values()];
    this.#contacts.clear();
    return listEvents('contacts.update', 'contacts', contacts);
  }

  /** Baileys emits such a pair before it stores it. */
  #remember(name: string): void {
    this.#emitted.add(name);
    const [oldest] = this.#emitted;
    if (this.#emitted.size > REMEMBERED_PAIRS && oldest !== undefined) this.#emitted.delete(oldest);
  }
}
