import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { toChats } from './chats.js';
import { mapConnection } from './connection.js';
import { toContacts, toMappedContact } from './contacts.js';
import { listEvents } from './list-events.js';
import type { MappedEvent, MappingContext } from './mapped-event.js';
import { toMessages } from './messages.js';
import { type JsonObject, normaliseObject } from './normalise.js';

/**
 * A part of the history, which the phone sends after linking or later on request, as events like current ones. Each
 * event is marked `history: true` and bounded in size. A revoke in the history is not a new deletion, so it gives no
 * `messages.delete`.
 */
export function mapHistory(part: BaileysEventMap['messaging-history.set']): MappedEvent[] {
  const { chats, contacts, messages, lidPnMappings, pastParticipants } = part;
  const formerMembers = (pastParticipants ?? []).map(
    ({ groupJid, pastParticipants: members }): JsonObject => {
      const left = (members ?? []).map((member) => normaliseObject(member));
      return { id: groupJid ?? '', pastParticipants: left };
    },
  );
  // A pair may come both with its chat and by itself.
  const pairs = [...new Map((lidPnMappings ?? []).map((pair) => [`${pair.lid} ${pair.pn}`, pair])).values()];
  const marks = { history: true, ...syncOf(part) };
  return [
    ...listEvents('contacts.upsert', 'contacts', toContacts(contacts), marks),
    ...listEvents('contacts.update', 'contacts', pairs.map(toMappedContact), marks),
    ...listEvents('chats.upsert', 'chats', toChats(chats), marks),
    ...listEvents('messages.upsert', 'messages', toMessages(messages), { type: 'append', ...marks }),
    ...listEvents(
      'groups.update',
      'groups',
      formerMembers.filter(({ id }) => id !== ''),
      marks,
    ),
  ];
}

function syncOf(part: BaileysEventMap['messaging-history.set']): JsonObject {
  const sync = normaliseObject({
    type: part.syncType ?? undefined,
    progress: part.progress ?? undefined,
    chunk: part.chunkOrder ?? undefined,
    isLatest: part.isLatest,
    requestId: part.peerDataRequestSessionId ?? undefined,
  });
  return Object.keys(sync).length === 0 ? {} : { sync };
}

/** The history is complete, or nothing more comes for a while. Clients see it as a fact about the connection. */
export function mapHistoryStatus(
  { syncType, status, explicit }: BaileysEventMap['messaging-history.status'],
  { condition }: MappingContext,
): MappedEvent[] {
  const { event, payload } = mapConnection({}, condition);
  return [{ event, payload: { ...payload, history: { type: syncType, status, isExplicit: explicit } } }];
}
