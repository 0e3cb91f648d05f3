import {
  groupDetailsSchema,
  type groupJoinRequestSchema,
  groupParticipantSchema,
  WafleetError,
} from '@wafleet/contract';
import {
  type BinaryNode,
  type GroupMetadata,
  type GroupParticipant,
  getBinaryNodeChild,
} from '@whiskeysockets/baileys';
import { extractGroupMetadata } from '@whiskeysockets/baileys/lib/Socket/groups.js';
import type { z } from 'zod';
import { published } from '../../mapping/published.js';

/** No later time can be written with a year of four digits. */
const LATEST_SECONDS = 253_402_300_800;

export type GroupDetails = z.output<typeof groupDetailsSchema>;
type Participant = z.output<typeof groupParticipantSchema>;
type JoinRequest = z.output<typeof groupJoinRequestSchema>;

/** A group without its participants, by the names that events have. */
export function toDetails(group: Omit<GroupMetadata, 'participants'>): GroupDetails {
  return groupDetailsSchema.parse(published('group', group));
}

export function toParticipant(participant: GroupParticipant): Participant {
  return groupParticipantSchema.parse(published('participant', participant));
}

/** Reads the attributes of `<membership_approval_request>`. Returns nothing if they do not name the person. */
export function toJoinRequest(attrs: Readonly<Record<string, string | undefined>>): JoinRequest[] {
  const { jid: id, phone_number: phoneNumber, lid, username, request_method: method } = attrs;
  if (!id) return [];
  const requestedAt = toInstant(attrs.request_time);
  const given = Object.entries({ lid, phoneNumber, username, method, requestedAt });
  return [{ id, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) }];
}

/** @param seconds since 1970, as WhatsApp writes them. */
export function toInstant(seconds: string | undefined): string | undefined {
  const time = Number(seconds);
  const isTime = Number.isInteger(time) && time > 0 && time < LATEST_SECONDS;
  return isTime ? new Date(time * 1_000).toISOString() : undefined;
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

/** Returns `<group>` of WhatsApp's answer to a creation. @throws {WafleetError} OUTCOME_UNKNOWN if there is none. */
export function readNewGroup(answer: BinaryNode): BinaryNode {
  const group = getBinaryNodeChild(answer, 'group');
  if (group !== undefined) return group;
  throw new WafleetError('OUTCOME_UNKNOWN', 'WhatsApp did not describe the new group. List the groups.');
}
