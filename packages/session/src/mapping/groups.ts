import {
  type BaileysEventMap,
  type GroupMetadata,
  type GroupParticipant,
  normalizeMessageContent,
  proto,
} from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import { type JsonObject, normaliseObject } from './normalise.js';
import { published } from './published.js';

function toParticipants(list: readonly GroupParticipant[]): JsonObject[] {
  return list.map((participant) => published('participant', participant));
}

function toGroup(kind: 'group' | 'groupUpdate', group: Partial<GroupMetadata>): JsonObject {
  const { participants } = group;
  return {
    ...published(kind, group),
    ...(participants === undefined ? {} : { participants: toParticipants(participants) }),
  };
}

export function mapGroupsUpsert(list: BaileysEventMap['groups.upsert']): MappedEvent[] {
  return listEvents(
    'groups.upsert',
    'groups',
    list.map((group) => toGroup('group', group)),
  );
}

export function mapGroupsUpdate(list: BaileysEventMap['groups.update']): MappedEvent[] {
  const groups = list
    .filter((group) => group.id)
    .map((group) => ({ ...toGroup('groupUpdate', group), ...removedDescription(group) }));
  return listEvents('groups.update', 'groups', groups);
}

/** Baileys emits a deleted description as undefined. */
function removedDescription(group: Partial<GroupMetadata>): JsonObject {
  const isChange = group.participants === undefined && 'desc' in group;
  return isChange && group.desc === undefined ? { desc: null } : {};
}

/** Participants that came, went, rose or fell. If WhatsApp names no author, the group itself is given as the author. */
export function mapGroupParticipants(data: BaileysEventMap['group-participants.update']): MappedEvent[] {
  const { id, author, authorPn, authorUsername, participants, action } = data;
  if (participants.length === 0) return [];
  const payload = {
    ...normaliseObject({ id, author: author || id, authorPn, authorUsername, action }),
    participants: toParticipants(participants),
  };
  return [{ event: 'group-participants.update', payload }];
}

/** The tag that members give themselves in a group: a change of that participant, by themselves. */
export function mapMemberTag(data: BaileysEventMap['group.member-tag.update']): MappedEvent[] {
  const { groupId, participant, participantAlt, label } = data;
  const isLid = participant.endsWith('@lid');
  const phoneNumber = isLid ? participantAlt : participant;
  const lid = isLid ? participant : participantAlt;
  const member = normaliseObject({ id: participant, lid, phoneNumber, tag: label || null });
  const payload = { id: groupId, author: participant, participants: [member], action: 'modify' };
  return [{ event: 'group-participants.update', payload }];
}

/** Members that removed their tag, for which Baileys emits nothing. */
export function mapRemovedTags({ messages }: BaileysEventMap['messages.upsert']): MappedEvent[] {
  return messages.flatMap(({ key, message, messageTimestamp }) => {
    const change = normalizeMessageContent(message)?.protocolMessage;
    const isTag = change?.type === proto.Message.ProtocolMessage.Type.GROUP_MEMBER_LABEL_CHANGE;
    const { remoteJid: groupId, participant, participantAlt } = key;
    if (!isTag || change.memberLabel?.label || !groupId || !participant) return [];
    return mapMemberTag({
      groupId,
      participant,
      label: '',
      messageTimestamp: Number(messageTimestamp),
      ...(participantAlt ? { participantAlt } : {}),
    });
  });
}

/** Somebody wants to join a group, or no longer does. Returns nothing if WhatsApp does not name the person. */
export function mapJoinRequest(data: BaileysEventMap['group.join-request']): MappedEvent[] {
  const { id, author, authorPn, authorUsername, participant, participantPn, action, method } = data;
  if (!participant) return [];
  const request = normaliseObject({ participant, participantPn, action, method });
  const group = {
    ...published('groupUpdate', { id, author, authorPn, authorUsername }),
    joinRequests: [request],
  };
  return listEvents('groups.update', 'groups', [group]);
}
