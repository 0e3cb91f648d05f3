import type { proto, WAPatchName } from '@whiskeysockets/baileys';
import { unixSeconds } from '../unix-seconds.js';

/** One change of an account's app-state: what the phone does when a person archives a chat, saves a contact, … */
export interface AppStateAction {
  readonly collection: WAPatchName;
  readonly index: string[];
  readonly value: proto.ISyncActionValue;
  /** Version of this kind of action, as WhatsApp Web writes it. */
  readonly version: number;
  readonly operation: 'SET' | 'REMOVE';
}

/** A message, as an app-state index identifies it. */
export interface IndexedMessage {
  /** The chat that contains the message. */
  readonly chat: string;
  readonly id: string;
  readonly fromMe: boolean;
}

const set = (
  collection: WAPatchName,
  version: number,
  index: string[],
  value: proto.ISyncActionValue,
): AppStateAction => ({ collection, version, index, value, operation: 'SET' });

const flag = (value: boolean): string => (value ? '1' : '0');

/** Archives or unarchives a chat. */
export const archiveChat = (chat: string, archived: boolean): AppStateAction =>
  set('regular_low', 3, ['archive', chat], { archiveChatAction: { archived } });

/** Mutes a chat until a time in milliseconds (-1: always); null unmutes it. */
export const muteChat = (chat: string, until: number | null): AppStateAction =>
  set('regular_high', 2, ['mute', chat], {
    muteAction: until === null ? { muted: false } : { muted: true, muteEndTimestamp: until },
  });

/** Pins a chat to the top of the list, or unpins it. */
export const pinChat = (chat: string, pinned: boolean): AppStateAction =>
  set('regular_low', 5, ['pin_v1', chat], { pinAction: { pinned } });

/** Marks a chat as read or as unread. */
export const markChatRead = (chat: string, read: boolean): AppStateAction =>
  set('regular_low', 3, ['markChatAsRead', chat], { markChatAsReadAction: { read } });

/** Stars or unstars a message. */
export const starMessage = (message: IndexedMessage, starred: boolean): AppStateAction =>
  set('regular_low', 2, ['star', message.chat, message.id, flag(message.fromMe), '0'], {
    starAction: { starred },
  });

/** Deletes a message on the account's own devices only. */
export const deleteMessageForMe = (message: IndexedMessage): AppStateAction =>
  set('regular_high', 3, ['deleteMessageForMe', message.chat, message.id, flag(message.fromMe), '0'], {
    deleteMessageForMeAction: { deleteMedia: false, messageTimestamp: unixSeconds() },
  });

/** Deletes all messages of a chat and keeps the chat. */
export const clearChat = (chat: string): AppStateAction =>
  set('regular_high', 6, ['clearChat', chat, '1', '0'], { clearChatAction: { messageRange: {} } });

/** Deletes a chat. */
export const deleteChat = (chat: string): AppStateAction =>
  set('regular_high', 6, ['deleteChat', chat, '1'], { deleteChatAction: { messageRange: {} } });

/** Hides a chat behind the phone's lock, or shows it again. */
export const lockChat = (chat: string, locked: boolean): AppStateAction =>
  set('regular_low', 7, ['lock', chat], { lockChatAction: { locked } });

/** Saves a contact under its phone number; with its LID, companions learn which LID belongs to the number. */
export const saveContact = (pn: string, lid: string, fullName: string): AppStateAction =>
  set('critical_unblock_low', 2, ['contact', pn], {
    contactAction: { fullName, firstName: firstWord(fullName), lidJid: lid, saveOnPrimaryAddressbook: true },
  });

/** Saves a contact whose number is not known, under its LID. */
export const saveLidContact = (lid: string, fullName: string, username?: string): AppStateAction =>
  set('critical_unblock_low', 2, ['lid_contact', lid], {
    lidContactAction: { fullName, firstName: firstWord(fullName), username: username ?? null },
  });

/** Deletes a saved contact. */
export const removeContact = (pn: string): AppStateAction =>
  removal({ collection: 'critical_unblock_low', version: 2, index: ['contact', pn], value: {} });

/** Deletes a contact that was saved under its LID. */
export const removeLidContact = (lid: string): AppStateAction =>
  removal({ collection: 'critical_unblock_low', version: 2, index: ['lid_contact', lid], value: {} });

/** Removes an entry from the account's app-state. Some clients repeat the previous value in the removal. */
export function removal(entry: Omit<AppStateAction, 'operation'>): AppStateAction {
  return { ...entry, operation: 'REMOVE' };
}

/** Creates, renames, recolours or deletes a label (WhatsApp Business). */
export const editLabel = (
  id: string,
  label: { readonly name: string; readonly color: number; readonly deleted: boolean },
): AppStateAction => set('regular', 3, ['label_edit', id], { labelEditAction: { ...label } });

/** Adds a label to a chat, or removes it. */
export const labelChat = (chat: string, labelId: string, labeled: boolean): AppStateAction =>
  set('regular', 3, ['label_jid', labelId, chat], { labelAssociationAction: { labeled } });

/** The account's own name, as others see it. */
export const pushNameSetting = (name: string): AppStateAction =>
  set('critical_block', 1, ['setting_pushName'], { pushNameSetting: { name } });

/** Whether a new message unarchives its chat. */
export const unarchiveChatsSetting = (unarchiveChats: boolean): AppStateAction =>
  set('regular_low', 4, ['setting_unarchiveChats'], { unarchiveChatsSetting: { unarchiveChats } });

/** Language of the phone, e.g. `en_US`. */
export const localeSetting = (locale: string): AppStateAction =>
  set('critical_block', 3, ['setting_locale'], { localeSetting: { locale } });

function firstWord(name: string): string {
  return name.split(' ', 1)[0] ?? name;
}
