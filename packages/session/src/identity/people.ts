import { type AuthStateStore, SealedValueError } from '@wafleet/store';
import { isUser, type PersonId, personId, toLid, toNumberId } from './person-id.js';

/** A cache of strings. Any value may be gone at any time. */
interface Names {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  delete(name: string): void;
}

interface PeopleOptions {
  /**
   * Pairs of LID and number, as Baileys keeps them: `pn:<number>` and `lid:<lid>`. All of them are stored. An empty
   * value, which Baileys treats as missing, means that nothing is stored.
   */
  readonly pairs: Names;
  /** More pairs, in the same form: those of members of groups, which Baileys does not store. */
  readonly members: Names;
  /** Usernames by LID. */
  readonly usernames: Names;
  /** Where the pairs are stored. */
  readonly store: Pick<AuthStateStore, 'readRecords'>;
}

/** What is known of one person. */
export interface KnownPerson {
  readonly id?: string | null | undefined;
  readonly lid?: string | null | undefined;
  readonly phoneNumber?: string | null | undefined;
  readonly username?: string | null | undefined;
}

/** How many pairs are read with one command. */
const IDS_PER_READ = 1_000;

/** Names in the cache and in the store (Baileys, Signal/lid-mapping.js). */
const cacheName = ({ kind, user }: PersonId) => (kind === 'lid' ? `lid:${user}` : `pn:${user}`);
const storedName = ({ kind, user }: PersonId) => (kind === 'lid' ? `${user}_reverse` : user);

/**
 * Which ids and usernames belong to the same person, as far as one session knows. All answers come from memory. A pair
 * that is stored but not in memory is read once by `load`; the absence of a stored pair is remembered as well.
 */
export class People {
  readonly #options: PeopleOptions;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** The person's other id: the number of a LID, the LID of a number. Undefined if it is not known. */
  otherId(id: PersonId): string | undefined {
    const name = cacheName(id);
    const other = this.#options.pairs.get(name) || this.#options.members.get(name);
    if (!other) return undefined;
    return id.kind === 'lid' ? toNumberId(other) : toLid(other);
  }

  /** The username that WhatsApp last named for the person. */
  username(id: PersonId): string | undefined {
    const lid = id.kind === 'lid' ? id : personId(this.otherId(id));
    return lid === undefined ? undefined : this.#options.usernames.get(lid.user);
  }

  /** Whether the store may know more of the person than the memory does. */
  needsLoading(id: PersonId): boolean {
    const name = cacheName(id);
    return this.#options.pairs.get(name) === undefined && this.#options.members.get(name) === undefined;
  }

  /**
   * Reads the pairs of these people from the store, with one command for a thousand of them. A pair that cannot be
   * opened counts as unknown.
   * @throws {FencedError}, or an error of the connection to Redis.
   */
  async load(people: readonly PersonId[]): Promise<void> {
    const wanted = [...new Map(people.map((id) => [storedName(id), id])).values()];
    for (let start = 0; start < wanted.length; start += IDS_PER_READ) {
      const part = wanted.slice(start, start + IDS_PER_READ);
      const stored = await this.#read(part.map(storedName));
      for (const [index, id] of part.entries()) this.#remember(id, stored[index]);
    }
  }

  /** Notes what an event says of a person. @returns whether the username is news. */
  note(person: KnownPerson): boolean {
    const ids = [person.id, person.lid, person.phoneNumber].map(personId);
    const lid = ids.find((id) => id?.kind === 'lid')?.user;
    const number = ids.find((id) => id?.kind === 'number')?.user;
    const { pairs, members, usernames } = this.#options;
    if (lid !== undefined && number !== undefined && pairs.get(`lid:${lid}`) !== number) {
      members.set(`lid:${lid}`, number);
      members.set(`pn:${number}`, lid);
    }
    if (lid === undefined || person.username === undefined) return false;
    if (!person.username) {
      usernames.delete(lid);
      return false;
    }
    if (usernames.get(lid) === person.username) return false;
    usernames.set(lid, person.username);
    return true;
  }

  #remember(id: PersonId, stored: unknown): void {
    const { pairs } = this.#options;
    // Baileys may have learnt the pair meanwhile.
    if (pairs.get(cacheName(id))) return;
    if (!isUser(stored)) {
      pairs.set(cacheName(id), '');
      return;
    }
    const other: PersonId = { kind: id.kind === 'lid' ? 'number' : 'lid', user: stored };
    pairs.set(cacheName(id), stored);
    pairs.set(cacheName(other), id.user);
  }

  async #read(names: readonly string[]): Promise<unknown[]> {
    try {
      return await this.#options.store.readRecords('lid-mapping', names);
    } catch (error) {
      if (error instanceof SealedValueError) return [];
      throw error;
    }
  }
}
