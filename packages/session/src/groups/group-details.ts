import { groupDetailsSchema, groupParticipantSchema } from '@wafleet/contract';
import type { BinaryNode, GroupMetadata, GroupParticipant } from '@whiskeysockets/baileys';
import { extractGroupMetadata } from '@whiskeysockets/baileys/lib/Socket/groups.js';
import type { z } from 'zod';
import { published } from '../mapping/published.js';

export type GroupDetails = z.output<typeof groupDetailsSchema>;
type Participant = z.output<typeof groupParticipantSchema>;

/** A group without its participants, by the names that events have. */
export function toDetails(group: Omit<GroupMetadata, 'participants'>): GroupDetails {
  return groupDetailsSchema.parse(published('group', group));
}

export function toParticipant(participant: GroupParticipant): Participant {
  return groupParticipantSchema.parse(published('participant', participant));
}

/**
 * Reads `<group>`. The participants are counted, but not read: there may be a thousand in each of hundreds of groups.
 */
export function readDetails(node: BinaryNode): GroupDetails {
  const content = Array.isArray(node.content) ? node.content : [];
  const others = content.filter(({ tag }) => tag !== 'participant');
  const size = node.attrs.size ?? String(content.length - others.length);
  const group = { ...node, attrs: { ...node.attrs, size }, content: others };
  return toDetails(extractGroupMetadata({ tag: 'result', attrs: {}, content: [group] }));
}
