import type { z } from 'zod';
import { type Cipher, type ScopedCipher, SealedValueError } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asBuffer, asBufferOrNull, asList, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import { type ChatEntry, type ContactEntry, chatEntrySchema, contactEntrySchema } from './list-entries.js';

/** A change of an entry, in the form in which it is sent to Redis. */
export interface SealedEntry {
  /** `c`: chats, `p`: contacts. */
  readonly list: 'c' | 'p';
  /** WhatsApp's id of the chat or person. */
  readonly id: string;
  /** Undefined to delete the entry. */
  readonly sealed: Buffer | undefined;
  /** See lists/write-entries.lua. */
  readonly order: string;
}

/** An entry with its place, by which the next page is asked for. */
export interface ListedEntry<Entry> {
  readonly id: string;
  readonly place: string;
  readonly entry: Entry;
}

/** A part of a list, the highest place first. */
export interface ListPage<Entry> {
  readonly items: readonly ListedEntry<Entry>[];
  /** Where the next part begins; undefined after the last one. */
  readonly next: string | undefined;
  /** Whether the list was ever full, so that entries were dropped. */
  readonly hasDropped: boolean;
}

interface PageRequest {
  /** `next` of the page before. */
  readonly below?: string | undefined;
  /** How many entries are read. */
  readonly count: number;
}

/** The lowest place of a contact that is saved on the phone (lists/write-entries.lua). */
const SAVED = '1000000000000000';

const readEntries = new Script('lists/read-entries', asList);
const pageEntries = new Script('lists/page-entries', asList);
const deleteKeys = new FencedScript('redis/delete-keys', asNumber);
const noteFilled = new FencedScript('lists/note-filled', asNumber);

const placeOf = (list: SealedEntry['list'], id: string) => `${list === 'c' ? 'chat' : 'contact'} ${id}`;

/** The lists of one session. */
export class ListsOfSession {
  readonly #redis: RedisConnection;
  readonly #ref: SessionRef;
  readonly #scope: ScopedCipher;

  constructor(redis: RedisConnection, ref: SessionRef, scope: ScopedCipher) {
    this.#redis = redis;
    this.#ref = ref;
    this.#scope = scope;
  }

  /**
   * Seals a chat. `EventLog.append` stores it.
   * @param entry undefined to delete the chat.
   * @param at when something last happened in it, seconds since 1970. Undefined if it keeps its place in the list.
   */
  sealChat(id: string, entry: ChatEntry | undefined, at?: number): SealedEntry {
    return this.#seal('c', id, entry, at === undefined ? '' : String(at));
  }

  /** Seals a contact. `EventLog.append` stores it. @param entry undefined to delete the contact. */
  sealContact(id: string, entry: ContactEntry | undefined): SealedEntry {
    return this.#seal('p', id, entry, entry?.name === undefined ? '0' : '1');
  }

  /** The chats of these ids, undefined for each that there is not. An entry that cannot be read counts as missing. */
  readChats(ids: readonly string[]): Promise<(ChatEntry | undefined)[]> {
    return this.#read('c', ids, chatEntrySchema);
  }

  /** The contacts of these ids, likewise. */
  readContacts(ids: readonly string[]): Promise<(ContactEntry | undefined)[]> {
    return this.#read('p', ids, contactEntrySchema);
  }

  /** Chats, the one in which something happened last first. */
  pageOfChats(request: PageRequest): Promise<ListPage<ChatEntry>> {
    const [chats, order, , , notes] = keys.lists(this.#ref);
    const args = [request.below ?? '+inf', '-inf', request.count, 'chatsDropped'];
    return this.#page('c', [chats, order, notes], args, chatEntrySchema);
  }

  /**
   * Contacts: those that are saved on the phone first, and of these the one that was saved last.
   * @param request.savedOnly leaves the others out.
   */
  pageOfContacts(request: PageRequest & { readonly savedOnly?: boolean }): Promise<ListPage<ContactEntry>> {
    const [, , contacts, order, notes] = keys.lists(this.#ref);
    const lowest = request.savedOnly === true ? SAVED : '-inf';
    const args = [request.below ?? '+inf', lowest, request.count, 'contactsDropped'];
    return this.#page('p', [contacts, order, notes], args, contactEntrySchema);
  }

  /**
   * The entries of a part of a list that were sealed with an earlier key, sealed with the current one.
   * @param request.below `next` of the part before.
   */
  async resealed(
    list: SealedEntry['list'],
    request: PageRequest,
  ): Promise<{ readonly entries: SealedEntry[]; readonly next: string | undefined }> {
    const [chats, chatOrder, contacts, contactOrder, notes] = keys.lists(this.#ref);
    const from = list === 'c' ? [chats, chatOrder, notes] : [contacts, contactOrder, notes];
    const args = [request.below ?? '+inf', '-inf', request.count, ''];
    const { found, next } = await this.#readPage(from, args);
    const entries = found.flatMap(({ id, place, sealed }): SealedEntry[] => {
      if (this.#scope.isCurrent(sealed)) return [];
      const plain = this.#openText(list, id, sealed);
      if (plain === undefined) return [];
      const isSaved = list === 'p' && Number(place) >= Number(SAVED);
      const order = list === 'c' ? '' : isSaved ? '1' : '0';
      return [{ list, id, order, sealed: this.#scope.seal(plain, placeOf(list, id)) }];
    });
    return { entries, next };
  }

  /** Whether the lists were filled from the account since they were switched on. */
  async wasFilled(): Promise<boolean> {
    return (await this.#redis.hget(keys.lists(this.#ref)[4], 'filled')) === '1';
  }

  #seal(list: SealedEntry['list'], id: string, entry: object | undefined, order: string): SealedEntry {
    const sealed =
      entry === undefined
        ? undefined
        : this.#scope.seal(Buffer.from(JSON.stringify(entry)), placeOf(list, id));
    return { list, id, sealed, order };
  }

  async #read<Entry>(list: SealedEntry['list'], ids: readonly string[], schema: z.ZodType<Entry>) {
    if (ids.length === 0) return [];
    const [chats, , contacts] = keys.lists(this.#ref);
    const key = list === 'c' ? chats : contacts;
    const found = await readEntries.run(this.#redis, [key], ids, { binary: true });
    return ids.map((id, index) => this.#open(list, id, asBufferOrNull(found[index] ?? null), schema));
  }

  async #page<Entry>(
    list: SealedEntry['list'],
    from: readonly string[],
    args: readonly (string | number)[],
    schema: z.ZodType<Entry>,
  ): Promise<ListPage<Entry>> {
    const { found, next, hasDropped } = await this.#readPage(from, args);
    const items = found.flatMap(({ id, place, sealed }) => {
      const entry = this.#open(list, id, sealed, schema);
      return entry === undefined ? [] : [{ id, place, entry }];
    });
    return { items, next, hasDropped };
  }

  async #readPage(from: readonly string[], args: readonly (string | number)[]) {
    const [dropped, ...page] = await pageEntries.run(this.#redis, from, args, { binary: true });
    const found = [];
    for (let index = 0; index < page.length; index += 3) {
      const [id, place, sealed] = page.slice(index, index + 3).map(asBuffer);
      if (id !== undefined && place !== undefined && sealed !== undefined) {
        found.push({ id: id.toString(), place: place.toString(), sealed });
      }
    }
    const isFull = found.length >= Number(args[2]);
    const next = isFull ? found.at(-1)?.place : undefined;
    return { found, next, hasDropped: asBuffer(dropped).toString() === '1' };
  }

  #open<Entry>(
    list: SealedEntry['list'],
    id: string,
    sealed: Buffer | null,
    schema: z.ZodType<Entry>,
  ): Entry | undefined {
    const text = sealed === null ? undefined : this.#openText(list, id, sealed);
    if (text === undefined) return undefined;
    const plain: unknown = JSON.parse(text.toString());
    return schema.safeParse(plain).data;
  }

  #openText(list: SealedEntry['list'], id: string, sealed: Buffer): Buffer | undefined {
    try {
      return this.#scope.open(sealed, placeOf(list, id));
    } catch (error) {
      // The next change of it writes a new one.
      if (error instanceof SealedValueError) return undefined;
      throw error;
    }
  }
}

/**
 * The lists of the chats and contacts of accounts, sealed. `EventLog.append` writes entries in the step that appends the
 * events that changed them, so a list says what the events until then said, whatever crashes. At most 10,000 chats and
 * 20,000 contacts a session; beyond that the last place of a list is dropped. An entry takes some 300 bytes of Redis.
 */
export class AccountLists {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /** Whether there may be entries that were sealed with an earlier key. */
  get isRotating(): boolean {
    return this.#cipher.isRotating;
  }

  ofSession(ref: SessionRef): ListsOfSession {
    return new ListsOfSession(this.#redis, ref, this.#cipher.sessionScope(ref));
  }

  /** Notes that the lists were filled from the account. @throws {FencedError} */
  async noteFilled(fence: Fence): Promise<void> {
    const [, , , , notes] = keys.lists(fence);
    await noteFilled.run(this.#redis, keys.owner(fence), fence, [notes], []);
  }

  /** Deletes the lists. @throws {FencedError} */
  async clear(fence: Fence): Promise<void> {
    await deleteKeys.run(this.#redis, keys.owner(fence), fence, keys.lists(fence), []);
  }
}

/** Deletes the lists of a session without an owner, or whose owner does the same once it knows that they are off. */
export async function deleteLists(redis: RedisConnection, ref: SessionRef): Promise<void> {
  await redis.unlink(...keys.lists(ref));
}
