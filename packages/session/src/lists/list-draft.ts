import type { CachedEntry } from '../caches/session-caches.js';
import type { ListedIds } from './list-changes.js';

interface EntryCache {
  get(name: string): CachedEntry | undefined;
  set(name: string, cached: CachedEntry): void;
}

/** Kinds of lists, and the first letter of their entries' names in the cache. */
interface DraftOptions<Entry> {
  readonly cache: EntryCache;
  readonly prefix: string;
  readonly read: (ids: readonly string[]) => Promise<readonly (Entry | undefined)[]>;
  /** One entry of two that turned out to be of the same person. */
  readonly merge: (one: Entry, other: Entry) => Entry;
}

/** An entry that has changed. */
export interface ChangedEntry<Entry> {
  readonly id: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** Changes of one list that are not stored yet. `load` reads what they need; the rest is done in memory. */
export class ListDraft<Entry extends object> {
  readonly #options: DraftOptions<Entry>;
  readonly #before = new Map<string, Entry | undefined>();
  readonly #after = new Map<string, Entry | undefined>();

  constructor(options: DraftOptions<Entry>) {
    this.#options = options;
  }

  /** Reads the entries of these chats or people, of a person under both ids. One read for those not in memory. */
  async load(wanted: readonly ListedIds[]): Promise<void> {
    const { cache, prefix, read } = this.#options;
    const missing = new Set<string>();
    for (const id of wanted.flatMap(namesOf)) {
      const cached = cache.get(prefix + id);
      if (cached === undefined) missing.add(id);
      // The cache holds entries of this list alone under this prefix.
      else this.#before.set(id, cached.entry as Entry | undefined);
    }
    if (missing.size === 0) return;
    const ids = [...missing];
    const found = await read(ids);
    for (const [index, id] of ids.entries()) this.#before.set(id, found[index]);
  }

  /**
   * Changes an entry. If a person has one under each id, they become one, under the LID.
   * @param change returns the entry as it is from now on; undefined for none.
   */
  change(ids: ListedIds, change: (before: Entry | undefined) => Entry | undefined): void {
    const [id, alias] = namesOf(ids);
    if (id === undefined) return;
    let entry = this.#get(id);
    const other = alias === undefined ? undefined : this.#get(alias);
    if (alias !== undefined && other !== undefined) {
      entry = entry === undefined ? other : this.#options.merge(entry, other);
      this.#after.set(alias, undefined);
    }
    this.#after.set(id, change(entry));
  }

  /** The entries that differ from what is stored. Everything that was read or changed is cached. */
  finish(): ChangedEntry<Entry>[] {
    const { cache, prefix } = this.#options;
    const changed: ChangedEntry<Entry>[] = [];
    for (const [id, before] of this.#before) {
      const after = this.#after.has(id) ? this.#after.get(id) : before;
      cache.set(prefix + id, { entry: after });
      if (JSON.stringify(before) !== JSON.stringify(after)) changed.push({ id, before, after });
    }
    return changed;
  }

  #get(id: string): Entry | undefined {
    return this.#after.has(id) ? this.#after.get(id) : this.#before.get(id);
  }
}

/** The names under which an entry may be stored. The first one is that which it has from now on. */
function namesOf({ group, lid, numberId }: ListedIds): string[] {
  return [group, lid, numberId].filter((id) => id !== undefined);
}
