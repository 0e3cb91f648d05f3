import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

const ACTIONS: ReadonlySet<string> = new Set(['add', 'remove', 'promote', 'demote']);

/** A channel numbers its messages. That number is all that identifies the message. */
function keyOf({ id, server_id }: { id: string; server_id: string }) {
  return { remoteJid: id, id: server_id, server_id };
}

export function mapChannelReaction(data: BaileysEventMap['newsletter.reaction']): MappedEvent[] {
  if (!data.server_id) return [];
  const { code, count, removed } = data.reaction;
  const reaction = normaliseObject({ text: removed === true ? '' : (code ?? ''), count });
  return listEvents('messages.reaction', 'reactions', [{ key: keyOf(data), reaction }]);
}

export function mapChannelView(data: BaileysEventMap['newsletter.view']): MappedEvent[] {
  if (!data.server_id) return [];
  return listEvents('messages.update', 'updates', [{ key: keyOf(data), update: { views: data.count } }]);
}

export function mapChannelParticipant(
  data: BaileysEventMap['newsletter-participants.update'],
): MappedEvent[] {
  const { id, author, user, new_role: role, action } = data;
  if (!user) return [];
  const payload = {
    id,
    author: author || id,
    participants: [normaliseObject({ id: user, role })],
    action: ACTIONS.has(action) ? action : 'modify',
  };
  return [{ event: 'group-participants.update', payload }];
}

export function mapChannelSettings(data: BaileysEventMap['newsletter-settings.update']): MappedEvent[] {
  const update: unknown = data.update;
  const newsletter = typeof update === 'object' ? normaliseObject(update) : {};
  return listEvents('chats.update', 'chats', [{ id: data.id, newsletter }]);
}
