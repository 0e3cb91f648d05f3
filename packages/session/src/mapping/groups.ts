import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

export function mapGroupsUpsert(list: BaileysEventMap['groups.upsert']): MappedEvent[] {
  const groups = list.map((group) => normaliseObject(group));
  return groups.length === 0 ? [] : [{ event: 'groups.upsert', payload: { groups } }];
}

export function mapGroupsUpdate(list: BaileysEventMap['groups.update']): MappedEvent[] {
  const groups = list.filter((group) => group.id).map((group) => normaliseObject(group));
  return groups.length === 0 ? [] : [{ event: 'groups.update', payload: { groups } }];
}

/** Participants that came, went, rose or fell. Where WhatsApp names no author, the group itself stands for it. */
export function mapGroupParticipants(data: BaileysEventMap['group-participants.update']): MappedEvent[] {
  if (data.participants.length === 0) return [];
  const payload = { ...normaliseObject(data), author: data.author || data.id };
  return [{ event: 'group-participants.update', payload }];
}
