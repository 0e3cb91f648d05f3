import {
  type CommandFields,
  ENTRIES_PER_CALL,
  type ListedChat,
  type ListedContact,
  WafleetError,
} from '@wafleet/contract';
import type { ChatEntry, ContactEntry, ListedEntry, ListPage } from '@wafleet/store';
import type { People } from '../identity/people.js';
import { personId } from '../identity/person-id.js';
import { type ListedIds, listedIds } from './list-changes.js';
import type { ListKeeper } from './list-keeper.js';
import { toListedChat, toListedContact } from './listed.js';

/** How many entries are read at once: some milliseconds of the time that all sessions of the worker share. */
const ENTRIES_PER_READ = 200;

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor?: string;
  readonly truncated: boolean;
}

/** Answers what clients ask of the lists. Needs no connection to WhatsApp. */
export class ListReader {
  readonly #keeper: ListKeeper;
  readonly #people: People;

  constructor(keeper: ListKeeper, people: People) {
    this.#keeper = keeper;
    this.#people = people;
  }

  /** @throws {WafleetError} LISTS_OFF. */
  async chats({ limit, cursor, archived, unread }: CommandFields<'list-chats'>): Promise<Page<ListedChat>> {
    const { stored } = this.#on();
    const is = (flag: boolean, wanted: string | undefined) => wanted === undefined || String(flag) === wanted;
    const { items, ...page } = await collect<ChatEntry>({
      ...{ limit, cursor },
      read: (request) => stored.pageOfChats(request),
      isWanted: ({ entry }) =>
        is(entry.archived === true, archived) &&
        is((entry.unread ?? 0) > 0 || entry.isMarkedUnread === true, unread),
    });
    const contacts = await stored.readContacts(items.map(({ id }) => id));
    const now = Date.now();
    return {
      ...page,
      items: items.map(({ id, entry }, index) => toListedChat(id, entry, contacts[index], now)),
    };
  }

  /** @throws {WafleetError} LISTS_OFF. */
  async contacts(fields: CommandFields<'list-contacts'>): Promise<Page<ListedContact>> {
    const { stored } = this.#on();
    const { limit, cursor, saved, query } = fields;
    const { items, ...page } = await collect<ContactEntry>({
      ...{ limit, cursor },
      read: (request) => stored.pageOfContacts({ ...request, savedOnly: saved === 'true' }),
      isWanted: query === undefined ? () => true : matching(query),
    });
    return { ...page, items: items.map(({ id, entry }) => toListedContact(id, entry)) };
  }

  /** @throws {WafleetError} LISTS_OFF, CHAT_NOT_LISTED. */
  async chat(name: string): Promise<ListedChat> {
    const { stored } = this.#on();
    const found = await this.#find(name);
    if (found === undefined) throw new WafleetError('CHAT_NOT_LISTED', 'The list does not have this chat.');
    const [contact] = await stored.readContacts([found.id]);
    return toListedChat(found.id, found.entry, contact, Date.now());
  }

  /** The last message of a chat that the list knows, by the id of the chat; undefined also while the lists are off. */
  async lastMessage(name: string): Promise<ChatEntry['last']> {
    return this.#keeper.isOn ? (await this.#find(name))?.entry.last : undefined;
  }

  /** @throws {WafleetError} LISTS_OFF. */
  #on(): ListKeeper {
    if (this.#keeper.isOn) return this.#keeper;
    throw new WafleetError(
      'LISTS_OFF',
      'The session keeps no lists. Switch them on with the setting `lists`, by PATCH /api/sessions/:id.',
    );
  }

  async #find(name: string): Promise<{ readonly id: string; readonly entry: ChatEntry } | undefined> {
    const { lid, numberId, group } = await this.#idsOf(name);
    const ids = [group, lid, numberId].filter((id) => id !== undefined);
    const found = await this.#keeper.stored.readChats(ids);
    for (const [index, entry] of found.entries()) {
      const id = ids[index];
      if (id !== undefined && entry !== undefined) return { id, entry };
    }
    return undefined;
  }

  /** Both ids of a person, as far as the session knows them. */
  async #idsOf(name: string): Promise<ListedIds> {
    const jid = name.includes('@') ? name : `${name.replace(/\D/g, '')}@s.whatsapp.net`;
    const person = personId(jid);
    if (person === undefined) return { group: jid };
    if (this.#people.needsLoading(person)) await this.#people.load([person]);
    return listedIds(jid, this.#people.otherId(person)) ?? {};
  }
}

interface Collection<Entry> {
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly read: (request: {
    readonly below: string | undefined;
    readonly count: number;
  }) => Promise<ListPage<Entry>>;
  readonly isWanted: (listed: ListedEntry<Entry>) => boolean;
}

/** Reads on until a page is full, the list ends, or the bound on one call is reached. */
async function collect<Entry>({ limit, cursor, read, isWanted }: Collection<Entry>): Promise<{
  items: ListedEntry<Entry>[];
  nextCursor?: string;
  truncated: boolean;
}> {
  const items: ListedEntry<Entry>[] = [];
  let below = cursor;
  let truncated = false;
  for (let looked = 0; looked < ENTRIES_PER_CALL; looked += ENTRIES_PER_READ) {
    const page = await read({ below, count: ENTRIES_PER_READ });
    truncated = page.hasDropped;
    for (const listed of page.items) {
      if (items.length === limit) return { items, ...next(below), truncated };
      below = listed.place;
      if (isWanted(listed)) items.push(listed);
    }
    if (page.next === undefined) return { items, truncated };
    below = page.next;
  }
  return { items, ...next(below), truncated };
}

function next(below: string | undefined): { readonly nextCursor?: string } {
  return below === undefined ? {} : { nextCursor: below };
}

/** Whether a contact has a text in one of its names, in any case of letters, or its digits in the number. */
function matching(query: string): (listed: ListedEntry<ContactEntry>) => boolean {
  const text = query.toLowerCase();
  const digits = /^\+?[\d\s().-]+$/.test(query) ? query.replace(/\D/g, '') : '';
  return ({ entry: { name, pushName, businessName, username, phone } }) =>
    [name, pushName, businessName, username].some((each) => each?.toLowerCase().includes(text)) ||
    (digits !== '' && phone?.includes(digits) === true);
}
