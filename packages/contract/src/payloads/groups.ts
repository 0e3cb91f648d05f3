import { z } from 'zod';
import { personFields } from './contacts.js';
import { envelope, history, int64, jid } from './fields.js';

export const participantSchema = z
  .object({
    id: jid,
    ...personFields,
    admin: z.enum(['admin', 'superadmin']).nullish().describe('null for a plain member'),
    isAdmin: z.boolean().optional(),
    isSuperAdmin: z.boolean().optional(),
    tag: z
      .string()
      .nullish()
      .describe('what the member calls themselves in this group; null: nothing any more'),
    role: z.string().optional().describe('in channels: the new role'),
  })
  .meta({ id: 'Participant', title: 'Participant of a group' });

const joinRequest = z
  .object({
    participant: jid.describe('who wants to join'),
    participantPn: jid.optional(),
    action: z.enum(['created', 'revoked', 'rejected']),
    method: z.string().optional().describe('`invite_link`, `linked_group_join` or `non_admin_add`'),
  })
  .meta({ id: 'JoinRequest', title: 'Request to join a group' });

const formerParticipant = z
  .object({
    userJid: jid.optional(),
    leaveReason: z.number().int().optional().describe('0: left, 1: was removed'),
    leaveTs: int64.optional().describe('seconds since 1970'),
  })
  .meta({ id: 'FormerParticipant', title: 'Former participant of a group' });

const groupFields = {
  notify: z.string().optional(),
  addressingMode: z.string().optional().describe('`lid` or `pn`: by which kind of id members are named'),
  owner: jid.optional(),
  ownerPn: jid.optional(),
  ownerUsername: z.string().optional(),
  owner_country_code: z.string().optional(),
  subject: z.string().optional(),
  subjectOwner: jid.optional().describe('who set the subject'),
  subjectOwnerPn: jid.optional(),
  subjectOwnerUsername: z.string().optional(),
  subjectTime: z.number().optional(),
  creation: z.number().optional().describe('seconds since 1970'),
  desc: z.string().nullish().describe('the description; null: it was deleted'),
  descOwner: jid.optional(),
  descOwnerPn: jid.optional(),
  descOwnerUsername: z.string().optional(),
  descId: z.string().optional(),
  descTime: z.number().optional(),
  linkedParent: jid.optional().describe('the community that it belongs to'),
  restrict: z.boolean().optional().describe('only admins change its settings'),
  announce: z.boolean().optional().describe('only admins write'),
  memberAddMode: z.boolean().optional().describe('members add members'),
  joinApprovalMode: z.boolean().optional().describe('an admin must admit people who want to join'),
  isCommunity: z.boolean().optional(),
  isCommunityAnnounce: z.boolean().optional(),
  size: z.number().optional().describe('how many participants'),
  participants: z.array(participantSchema).optional(),
  ephemeralDuration: z.number().optional().describe('seconds after which messages disappear'),
  inviteCode: z.string().optional(),
  author: jid.optional().describe('who did this'),
  authorPn: jid.optional(),
  authorUsername: z.string().optional(),
};

const groupId = { id: jid.describe('of the group') };

export const groupSchema = z
  .object({
    ...groupId,
    ...groupFields,
    subject: z.string(),
    participants: z.array(participantSchema),
  })
  .meta({ id: 'Group', title: 'Group' });

export const groupUpdateSchema = z
  .object({
    ...groupId,
    ...groupFields,
    joinRequests: z.array(joinRequest).optional().describe('people want to join, or no longer do'),
    pastParticipants: z
      .array(formerParticipant)
      .optional()
      .describe('of the history: who was in the group before'),
  })
  .meta({
    id: 'GroupUpdate',
    title: 'Change of a group',
    description: 'Only the fields that changed, or all that is known where the whole group was asked for.',
  });

export const groupsUpsertSchema = z.object({ ...envelope, groups: z.array(groupSchema).min(1) });
export const groupsUpdateSchema = z.object({
  ...envelope,
  groups: z.array(groupUpdateSchema).min(1),
  ...history,
});

export const groupParticipantsSchema = z.object({
  ...envelope,
  id: jid.describe('the group'),
  author: z.string().describe('who did it; the group itself where WhatsApp names no person'),
  authorPn: jid.optional(),
  authorUsername: z.string().optional(),
  participants: z.array(participantSchema).min(1).describe('to whom'),
  action: z
    .enum(['add', 'remove', 'promote', 'demote', 'modify'])
    .describe(
      'came, went (left or was removed), became admin, is admin no longer, has another number or another `tag`',
    ),
});
