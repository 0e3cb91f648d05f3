import type { BaileysEventMap, Chat, ChatUpdate } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

function mapChats(
  event: 'chats.upsert' | 'chats.update',
  list: readonly (Chat | ChatUpdate)[],
): MappedEvent[] {
  const chats = list.filter((chat) => chat.id).map((chat) => normaliseObject(chat));
  return chats.length === 0 ? [] : [{ event, payload: { chats } }];
}

export function mapChatsUpsert(chats: BaileysEventMap['chats.upsert']): MappedEvent[] {
  return mapChats('chats.upsert', chats);
}

export function mapChatsUpdate(chats: BaileysEventMap['chats.update']): MappedEvent[] {
  return mapChats('chats.update', chats);
}

/** A chat's lock is a field of the chat, `locked`, in WhatsApp's own schema of a conversation. */
export function mapChatLock({ id, locked }: BaileysEventMap['chats.lock']): MappedEvent[] {
  return mapChats('chats.update', [{ id, locked }]);
}
