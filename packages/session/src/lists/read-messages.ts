import type { People } from '../identity/people.js';
import { personId } from '../identity/person-id.js';
import { type ChatChange, type ListChange, listedIds } from './list-changes.js';
import type { ListKeeper } from './list-keeper.js';

interface ReadMessagesOptions {
  readonly lists: Pick<ListKeeper, 'isOn'>;
  readonly people: Pick<People, 'otherId'>;
  readonly outbox: { change(changes: readonly ListChange[]): void };
}

/** How many changes an outbox takes at once. */
const CHANGES_AT_ONCE = 200;

/** Notes in the list of chats what this session marks as read: WhatsApp reports it to the other devices alone. */
export class ReadMessages {
  readonly #options: ReadMessagesOptions;

  constructor(options: ReadMessagesOptions) {
    this.#options = options;
  }

  /** @param keys of messages of others whose receipts were sent. */
  note(keys: readonly { readonly remoteJid: string; readonly id: string }[]): void {
    const { lists, people, outbox } = this.#options;
    if (!lists.isOn) return;
    const read = new Map<string, string[]>();
    for (const { remoteJid, id } of keys) read.set(remoteJid, [...(read.get(remoteJid) ?? []), id]);
    const changes = [...read].flatMap(([chat, messages]): ChatChange[] => {
      const person = personId(chat);
      const ids = listedIds(chat, person === undefined ? undefined : people.otherId(person));
      return ids === undefined ? [] : [{ list: 'chats', ids, read: messages }];
    });
    for (let start = 0; start < changes.length; start += CHANGES_AT_ONCE) {
      outbox.change(changes.slice(start, start + CHANGES_AT_ONCE));
    }
  }
}
