import type { BaileysEventMap, Chat, ChatUpdate } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';
import { published } from './published.js';

export function toChats(list: readonly (Chat | ChatUpdate)[]): JsonObject[] {
  return list.filter(({ id }) => id).map((chat) => published('chat', chat));
}

export function mapChatsUpsert(chats: BaileysEventMap['chats.upsert']): MappedEvent[] {
  return listEvents('chats.upsert', 'chats', toChats(chats));
}

/** Changes of chats. A change that contains nothing but the id of the chat is left out. */
export function mapChatsUpdate(chats: BaileysEventMap['chats.update']): MappedEvent[] {
  const changes = chats
    .flatMap((chat) => toChats([chat]).map((change) => ({ ...change, ...removedDescription(chat) })))
    .filter((change) => Object.keys(change).length > 1);
  return listEvents('chats.update', 'chats', changes);
}

/** Baileys emits a deleted group description as undefined. */
function removedDescription(chat: ChatUpdate): JsonObject {
  return 'description' in chat && chat.description === undefined ? { description: null } : {};
}

/** A chat that the account deleted on one of its devices. The chat's messages are gone with it. */
export function mapChatsDelete(ids: BaileysEventMap['chats.delete']): MappedEvent[] {
  return listEvents(
    'chats.update',
    'chats',
    ids.map((id) => ({ id, deleted: true })),
  );
}

/** A chat's lock is a field of the chat, `locked`, in WhatsApp's own schema of a conversation. */
export function mapChatLock({ id, locked }: BaileysEventMap['chats.lock']): MappedEvent[] {
  return mapChatsUpdate([{ id, locked }]);
}
