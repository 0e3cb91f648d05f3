import type { GroupMetadata, WASocket } from '@whiskeysockets/baileys';
import type { GroupCache } from './group-cache.js';

type GroupSocket = Pick<WASocket, 'groupMetadata'>;

/** Learns which ids belong to one person. */
interface PeopleListener {
  notePeople(known: GroupMetadata['participants']): void;
}

/** The groups of a session, as WhatsApp described them last. Asks WhatsApp for those that are not known. */
export class KnownGroups {
  readonly #cache: GroupCache;
  readonly #people: PeopleListener;

  constructor({ cache, people }: { cache: GroupCache; people: PeopleListener }) {
    this.#cache = cache;
    this.#people = people;
  }

  /** Returns a group with its participants; undefined if `id` is not a group. Rejects as Baileys' `groupMetadata`. */
  find(socket: GroupSocket, id: string): Promise<GroupMetadata | undefined> {
    return this.#cache.get(id, async (asked) => {
      const group = await socket.groupMetadata(asked);
      this.#people.notePeople(group.participants);
      return group;
    });
  }

  /** Makes the next `find` ask WhatsApp. */
  forget(id: string): void {
    this.#cache.forget(id);
  }
}
