import type { WAPatchName } from '@whiskeysockets/baileys';
import type { Account, Device } from '../world/account.js';
import { type GroupChat, isPerson } from '../world/chat.js';
import * as actions from './actions.js';
import { AppStateCollections } from './collections.js';
import { PhoneAppState } from './phone-app-state.js';

/** A chat of the account: the person or the group on its other side. */
type OwnChat = Account | GroupChat;

/** A message of the account, as an app-state index identifies it. */
export interface OwnMessage {
  readonly chat: OwnChat;
  readonly id: string;
  /** Whether the account itself wrote it. */
  readonly fromMe: boolean;
}

/**
 * What a person does on the phone that the account's other devices follow through app-state: chats archived, muted,
 * pinned …, contacts saved, settings changed. Each verb resolves once the server has the patch. The server notifies
 * the companions by `server_sync`, and they fetch the patch themselves.
 */
export class AccountSettings {
  readonly #phone: Account;
  /** What the server stores: encrypted patches by collection. */
  readonly collections = new AppStateCollections();
  /** The phone's decrypted view of them, including changes made by companions. */
  readonly state = new PhoneAppState(this.collections);

  constructor(phone: Account) {
    this.#phone = phone;
  }

  archiveChat(chat: OwnChat, archived = true): Promise<void> {
    return this.#publish(actions.archiveChat(chatJid(chat), archived));
  }

  /** @param until milliseconds since 1970, -1 for always, null to unmute. */
  muteChat(chat: OwnChat, until: number | null): Promise<void> {
    return this.#publish(actions.muteChat(chatJid(chat), until));
  }

  pinChat(chat: OwnChat, pinned = true): Promise<void> {
    return this.#publish(actions.pinChat(chatJid(chat), pinned));
  }

  markChatRead(chat: OwnChat, read = true): Promise<void> {
    return this.#publish(actions.markChatRead(chatJid(chat), read));
  }

  lockChat(chat: OwnChat, locked = true): Promise<void> {
    return this.#publish(actions.lockChat(chatJid(chat), locked));
  }

  clearChat(chat: OwnChat): Promise<void> {
    return this.#publish(actions.clearChat(chatJid(chat)));
  }

  deleteChat(chat: OwnChat): Promise<void> {
    return this.#publish(actions.deleteChat(chatJid(chat)));
  }

  starMessage(message: OwnMessage, starred = true): Promise<void> {
    return this.#publish(actions.starMessage(indexed(message), starred));
  }

  /** Deletes a message on the account's own devices; the others keep it. */
  deleteMessageForMe(message: OwnMessage): Promise<void> {
    return this.#publish(actions.deleteMessageForMe(indexed(message)));
  }

  saveContact(person: Account, fullName: string): Promise<void> {
    return this.#publish(actions.saveContact(person.jid, person.lid, fullName));
  }

  /** Saves a person whose number the account does not know. */
  saveLidContact(person: Account, fullName: string): Promise<void> {
    return this.#publish(actions.saveLidContact(person.lid, fullName, person.username));
  }

  removeContact(person: Account): Promise<void> {
    return this.#publish(actions.removeContact(person.jid));
  }

  removeLidContact(person: Account): Promise<void> {
    return this.#publish(actions.removeLidContact(person.lid));
  }

  /**
   * Removes an entry, e.g. `remove(['mute', jid])`.
   * @param options.keepsValue whether the removal repeats what was set, as some clients do.
   * @throws {Error} if there is no such entry.
   */
  async remove(index: string[], { keepsValue = false }: { keepsValue?: boolean } = {}): Promise<void> {
    const name = JSON.stringify(index);
    const entry = this.state.entries.find((each) => JSON.stringify(each.index) === name);
    if (entry === undefined) throw new Error(`there is no entry ${name}`);
    const { collection, value } = entry;
    await this.#publish(actions.removal({ collection, index, version: 2, value: keepsValue ? value : {} }));
  }

  editLabel(id: string, label: { name: string; color?: number; deleted?: boolean }): Promise<void> {
    const { name, color = 0, deleted = false } = label;
    return this.#publish(actions.editLabel(id, { name, color, deleted }));
  }

  /** Labels hang on a person's number, not on the LID. */
  labelChat(chat: OwnChat, labelId: string, labeled = true): Promise<void> {
    return this.#publish(actions.labelChat(chat.jid, labelId, labeled));
  }

  /** The name that others see from now on. */
  setPushName(name: string): Promise<void> {
    return this.#publish(actions.pushNameSetting(name));
  }

  setUnarchiveChats(unarchive: boolean): Promise<void> {
    return this.#publish(actions.unarchiveChatsSetting(unarchive));
  }

  setLocale(locale: string): Promise<void> {
    return this.#publish(actions.localeSetting(locale));
  }

  /**
   * Accepts a companion's change and notifies the account's other devices. Resolves to the collection's new version.
   * @throws as `PhoneAppState.acceptPatch` does.
   */
  async accept(collection: WAPatchName, patch: Uint8Array, onTopOf: number, author: Device): Promise<number> {
    const version = await this.state.acceptPatch(collection, patch, onTopOf);
    this.#announce(collection, version, author);
    return version;
  }

  #announce(collection: WAPatchName, version: number, author?: Device): void {
    this.#phone.name = this.state.entry('setting_pushName')?.pushNameSetting?.name ?? this.#phone.name;
    for (const device of this.#phone.devices.values()) {
      if (device === author) continue;
      device.notify('server_sync', [
        { tag: 'collection', attrs: { name: collection, version: String(version) } },
      ]);
    }
  }

  async #publish(action: actions.AppStateAction): Promise<void> {
    this.#announce(action.collection, await this.state.write(action));
  }
}

function chatJid(chat: OwnChat): string {
  return isPerson(chat) ? chat.lid : chat.jid;
}

function indexed({ chat, id, fromMe }: OwnMessage): actions.IndexedMessage {
  return { chat: chatJid(chat), id, fromMe };
}
