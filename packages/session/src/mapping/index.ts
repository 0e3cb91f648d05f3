import type { BaileysEvent, BaileysEventMap } from '@whiskeysockets/baileys';
import { mapCredentials, mapLabel, mapNewChatLimit, mapSettings } from './account.js';
import { mapCalls } from './calls.js';
import { mapChannelParticipant, mapChannelReaction, mapChannelSettings, mapChannelView } from './channels.js';
import { mapChatLock, mapChatsDelete, mapChatsUpdate, mapChatsUpsert } from './chats.js';
import {
  mapBlocklist,
  mapBlocklistUpdate,
  mapContactsUpdate,
  mapContactsUpsert,
  mapLidMapping,
} from './contacts.js';
import {
  mapGroupParticipants,
  mapGroupsUpdate,
  mapGroupsUpsert,
  mapJoinRequest,
  mapMemberTag,
  mapRemovedTags,
} from './groups.js';
import { mapHistory, mapHistoryStatus } from './history.js';
import { mapLabelAssociation } from './labels.js';
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
 * How each event of Baileys is handled; docs/events.md has the table. The type makes it complete: an event that a later
 * Baileys adds fails the type check until a rule for it is added here.
 */
export const EVENT_RULES: { readonly [E in BaileysEvent]: Mapper<E> | Dropped } = {
  'connection.update': { because: 'the session publishes it itself, together with its own status' },
  'creds.update': mapCredentials,
  'messaging-history.set': mapHistory,
  'messaging-history.status': mapHistoryStatus,
  'chats.upsert': mapChatsUpsert,
  'chats.update': mapChatsUpdate,
  'chats.delete': mapChatsDelete,
  'chats.lock': mapChatLock,
  'contacts.upsert': mapContactsUpsert,
  'contacts.update': mapContactsUpdate,
  'lid-mapping.update': mapLidMapping,
  'messages.upsert': (data, context) => [...mapMessagesUpsert(data, context), ...mapRemovedTags(data)],
  'messages.update': mapMessagesUpdate,
  'messages.delete': mapMessagesDelete,
  'messages.reaction': mapReactions,
  'messages.media-update': {
    because: 'it answers a request of the service for a medium, whose asker gets it',
  },
  'message-receipt.update': mapReceipts,
  'message-capping.update': mapNewChatLimit,
  'groups.upsert': mapGroupsUpsert,
  'groups.update': mapGroupsUpdate,
  'group-participants.update': mapGroupParticipants,
  'group.join-request': mapJoinRequest,
  'group.member-tag.update': mapMemberTag,
  'presence.update': mapPresence,
  call: mapCalls,
  'blocklist.set': mapBlocklist,
  'blocklist.update': mapBlocklistUpdate,
  'labels.edit': mapLabel,
  'labels.association': mapLabelAssociation,
  'newsletter.reaction': mapChannelReaction,
  'newsletter.view': mapChannelView,
  'newsletter-participants.update': mapChannelParticipant,
  'newsletter-settings.update': mapChannelSettings,
  'settings.update': mapSettings,
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
 * The contract's events that one flush of Baileys gives, in the order to publish them. An event that cannot be mapped
 * is reported to `onFailure`; the others are still mapped.
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
