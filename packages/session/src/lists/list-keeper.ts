import type { SessionSettings } from '@wafleet/contract';
import type { CachePartition, Logger } from '@wafleet/runtime';
import type {
  AccountLists,
  ChatEntry,
  ContactEntry,
  Fence,
  ListsOfSession,
  SealedEntry,
} from '@wafleet/store';
import type { CachedEntry } from '../caches/session-caches.js';
import { isMine, type Me } from '../mapping/changes.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { changedChat, changedContact, mergedChat, mergedContact } from './apply-changes.js';
import { changesOf } from './changes-of-events.js';
import type { ListChange } from './list-changes.js';
import { ListDraft } from './list-draft.js';

interface ListKeeperOptions {
  readonly fence: Fence;
  readonly accountLists: AccountLists;
  /** Entries that were read or written last. */
  readonly cache: Pick<CachePartition<CachedEntry>, 'get' | 'set' | 'clear'>;
  readonly inForce: { readonly settings: SessionSettings };
  readonly account: { readonly current: { readonly me: Me } | undefined };
  readonly logger: Logger;
}

const RESEALED_AT_ONCE = 200;

/**
 * Keeps the lists of a session's chats and contacts, if its settings say so. It turns events into entries, which the
 * outbox stores in the step that appends these events. So the lists say exactly what the events in the log say, and a
 * person is one entry under both ids once an event has named the pair.
 */
export class ListKeeper {
  readonly #options: ListKeeperOptions;
  #lists: ListsOfSession | undefined;

  constructor(options: ListKeeperOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#options.inForce.settings.lists;
  }

  /** The stored lists. Created when they are first used: most sessions have none. */
  get stored(): ListsOfSession {
    this.#lists ??= this.#options.accountLists.ofSession(this.#options.fence);
    return this.#lists;
  }

  /** What an event says of chats and contacts; nothing while the lists are off. Never throws: the event comes first. */
  changesIn(event: MappedEvent): readonly ListChange[] {
    const { account, logger } = this.#options;
    if (!this.isOn) return [];
    try {
      return changesOf(event, { isMine: (jid) => isMine(jid, account.current?.me) });
    } catch (error) {
      logger.error({ err: error, event: event.event }, 'an event could not be listed');
      return [];
    }
  }

  /**
   * The entries that these changes make, to be stored by the next write. Call it for one write at a time, in order:
   * it assumes that what it returned before was stored. Rejects if Redis is out of reach; nothing is changed then.
   */
  async prepare(changes: readonly ListChange[]): Promise<SealedEntry[]> {
    if (changes.length === 0) return [];
    const { cache } = this.#options;
    const { stored } = this;
    const chats = new ListDraft<ChatEntry>({
      ...{ cache, prefix: 'c', merge: mergedChat },
      read: (ids) => stored.readChats(ids),
    });
    const contacts = new ListDraft<ContactEntry>({
      ...{ cache, prefix: 'p', merge: mergedContact },
      read: (ids) => stored.readContacts(ids),
    });
    const ofContacts = changes.filter(({ list }) => list === 'contacts').map(({ ids }) => ids);
    // A change of a contact may say that two chats are of one person.
    await Promise.all([chats.load(changes.map(({ ids }) => ids)), contacts.load(ofContacts)]);
    for (const change of changes) {
      const { ids } = change;
      if (change.list === 'chats') chats.change(ids, (before) => changedChat(before, change));
      else {
        contacts.change(ids, (before) => changedContact(before, change));
        chats.change(ids, (before) => changedChat(before, { list: 'chats', ids }));
      }
    }
    return [
      ...chats.finish().map(({ id, before, after }) => {
        const isLater = after?.at !== before?.at || after?.last?.id !== before?.last?.id;
        const moves = after?.at !== undefined && isLater;
        return stored.sealChat(id, after, moves ? after.at : undefined);
      }),
      ...contacts.finish().map(({ id, after }) => stored.sealContact(id, after)),
    ];
  }

  /**
   * Seals the lists with the current key, if there may be entries of an earlier one. Call it once. Each part is a step
   * of the outbox, so that events go on between them.
   * @param append stores entries; rejects with FencedError if another worker owns the session.
   */
  reseal(
    outbox: { run(step: () => Promise<void>): void },
    append: (entries: readonly SealedEntry[]) => Promise<unknown>,
  ): void {
    if (!this.isOn || !this.#options.accountLists.isRotating) return;
    const next = (list: SealedEntry['list'], below?: string) =>
      outbox.run(async () => {
        const part = await this.stored.resealed(list, { below, count: RESEALED_AT_ONCE });
        if (part.entries.length > 0) await append(part.entries);
        if (part.next !== undefined) next(list, part.next);
      });
    next('c');
    next('p');
  }

  /** Reads entries from Redis again, since others may have deleted them. Call it between two writes. */
  forget(): void {
    this.#options.cache.clear();
  }

  /** Deletes the lists. @throws {FencedError} */
  async clear(): Promise<void> {
    const { accountLists, fence } = this.#options;
    this.forget();
    await accountLists.clear(fence);
  }
}
