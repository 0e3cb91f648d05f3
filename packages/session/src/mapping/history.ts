import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { mapChatsUpsert } from './chats.js';
import { mapContactsUpsert } from './contacts.js';
import type { MappedEvent, MappingContext } from './mapped-event.js';
import { mapMessagesUpsert } from './messages.js';

const CHATS_OR_CONTACTS_PER_EVENT = 200;
const MESSAGES_PER_EVENT = 100;

function* inChunks<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}

/**
 * A part of the history that the phone sends after linking, as upserts in chunks, each marked `history: true`.
 * A revoke found in the history tells of no new deletion, hence gives no `messages.delete`.
 */
export function mapHistory(
  { chats, contacts, messages }: BaileysEventMap['messaging-history.set'],
  context: MappingContext,
): MappedEvent[] {
  const events: MappedEvent[] = [];
  for (const chunk of inChunks(contacts, CHATS_OR_CONTACTS_PER_EVENT))
    events.push(...mapContactsUpsert(chunk));
  for (const chunk of inChunks(chats, CHATS_OR_CONTACTS_PER_EVENT)) events.push(...mapChatsUpsert(chunk));
  for (const chunk of inChunks(messages, MESSAGES_PER_EVENT)) {
    const upserts = mapMessagesUpsert({ messages: chunk, type: 'append' }, context);
    events.push(...upserts.filter(({ event }) => event === 'messages.upsert'));
  }
  return events.map(({ event, payload }) => ({ event, payload: { ...payload, history: true } }));
}
