import type { BaileysEvent, BaileysEventMap } from '@whiskeysockets/baileys';
import { mapCalls } from './calls.js';
import { mapChatLock, mapChatsUpdate, mapChatsUpsert } from './chats.js';
import { mapContactsUpdate, mapContactsUpsert } from './contacts.js';
import { mapCredentials } from './credentials.js';
import { mapGroupParticipants, mapGroupsUpdate, mapGroupsUpsert } from './groups.js';
import { mapHistory } from './history.js';
import type { MappedEvent, MappingContext } from './mapped-event.js';
import {
  mapMessagesDelete,
  mapMessagesUpdate,
  mapMessagesUpsert,
  mapReactions,
  mapReceipts,
} from './messages.js';
import { mapPresence } from './presence.js';

type Mapper<E extends BaileysEvent> = (
  data: BaileysEventMap[E],
  context: MappingContext,
) => readonly MappedEvent[];

/** A Baileys event that is not published, and why. */
interface Dropped {
  readonly because: string;
}

/**
 * What becomes of each event of Baileys. The type makes it complete: an event that a later Baileys adds fails
 * the type check until somebody decides here.
 */
export const EVENT_RULES: { readonly [E in BaileysEvent]: Mapper<E> | Dropped } = {
  'connection.update': { because: 'the session publishes it itself, together with its own status' },
  'creds.update': mapCredentials,
  'messaging-history.set': mapHistory,
  'messaging-history.status': { because: 'the contract has no event for the progress of the history' },
  'chats.upsert': mapChatsUpsert,
  'chats.update': mapChatsUpdate,
  'chats.delete': { because: 'the contract has no event for a deleted chat' },
  'chats.lock': mapChatLock,
  'contacts.upsert': mapContactsUpsert,
  'contacts.update': mapContactsUpdate,
  'lid-mapping.update': { because: 'the contacts and message keys that are published carry both ids' },
  'messages.upsert': mapMessagesUpsert,
  'messages.update': mapMessagesUpdate,
  'messages.delete': mapMessagesDelete,
  'messages.reaction': mapReactions,
  'messages.media-update': { because: 'it answers a request for media, which the service does not make' },
  'message-receipt.update': mapReceipts,
  'message-capping.update': { because: 'the contract has no event for the quota of new chats' },
  'groups.upsert': mapGroupsUpsert,
  'groups.update': mapGroupsUpdate,
  'group-participants.update': mapGroupParticipants,
  'group.join-request': { because: 'the contract has no event for a request to join a group' },
  'group.member-tag.update': { because: 'the contract has no event for tags of group members' },
  'presence.update': mapPresence,
  call: mapCalls,
  'blocklist.set': { because: 'the contract has no event for the block list' },
  'blocklist.update': { because: 'the contract has no event for the block list' },
  'labels.edit': { because: 'the contract has no event for labels' },
  'labels.association': { because: 'the contract has no event for labels' },
  'newsletter.reaction': { because: 'the contract has no event for channels' },
  'newsletter.view': { because: 'the contract has no event for channels' },
  'newsletter-participants.update': { because: 'the contract has no event for channels' },
  'newsletter-settings.update': { because: 'the contract has no event for channels' },
  'settings.update': { because: 'the contract has no event for settings of the account' },
};

export function isBaileysEvent(name: string): name is BaileysEvent {
  return Object.hasOwn(EVENT_RULES, name);
}

/** The contract's events that one event of Baileys gives, in the order to publish them. */
export function mapBaileysEvent<E extends BaileysEvent>(
  event: E,
  data: BaileysEventMap[E],
  context: MappingContext,
): readonly MappedEvent[] {
  const rule: Mapper<E> | Dropped = EVENT_RULES[event];
  return 'because' in rule ? [] : rule(data, context);
}

/**
 * The contract's events that one flush of Baileys gives, in the order to publish them. An event that cannot be
 * mapped is told to `onFailure` and costs none of the others.
 */
export function mapBaileysEvents(
  events: Partial<BaileysEventMap>,
  context: MappingContext,
  onFailure: (event: BaileysEvent, error: unknown) => void,
): MappedEvent[] {
  const mapped: MappedEvent[] = [];
  for (const event of Object.keys(events)) {
    if (!isBaileysEvent(event)) continue;
    const data = events[event];
    if (data === undefined) continue;
    try {
      mapped.push(...mapBaileysEvent(event, data, context));
    } catch (error) {
      onFailure(event, error);
    }
  }
  return mapped;
}
