import { z } from 'zod';
import { sessionCommand } from './definition.js';
import {
  groupJoinRequestSchema,
  groupParamsSchema,
  groupParticipantSchema,
  pageQuerySchema,
  participantResultsSchema,
  participantsSchema,
} from './group-fields.js';
import { pageSchema } from './pages.js';

/** Who is in a group, and who wants to be. */
export const groupParticipantCommands = {
  'list-group-participants': sessionCommand({
    route: 'GET /api/sessions/:id/groups/:group/participants',
    access: 'groups:read',
    cost: 5,
    tag: 'groups',
    summary: 'List the participants of a group',
    description: 'As current as the group itself. In the order of the ids.',
    params: groupParamsSchema,
    query: pageQuerySchema,
    reply: pageSchema(groupParticipantSchema),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us' },
  }),
  'change-group-participants': sessionCommand({
    route: 'POST /api/sessions/:id/groups/:group/participants',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Add or remove participants, or change who is an admin',
    description:
      'The answer says for each person, in the order of the request, what became of it: one refusal does not undo the ' +
      'others.',
    params: groupParamsSchema,
    body: z.strictObject({
      action: z.enum(['add', 'remove', 'promote', 'demote']),
      participants: participantsSchema,
    }),
    reply: participantResultsSchema,
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us', action: 'add', participants: ['15550001001'] },
  }),
  'list-group-join-requests': sessionCommand({
    route: 'GET /api/sessions/:id/groups/:group/join-requests',
    access: 'groups:read',
    cost: 5,
    tag: 'groups',
    summary: 'List the people who want to join a group',
    description: 'For admins of the group. Asks WhatsApp for every page. In the order of the ids.',
    params: groupParamsSchema,
    query: pageQuerySchema,
    reply: pageSchema(groupJoinRequestSchema),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us' },
  }),
  'answer-group-join-requests': sessionCommand({
    route: 'POST /api/sessions/:id/groups/:group/join-requests',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Approve or reject people who want to join a group',
    description: 'The answer says for each person, in the order of the request, what became of it.',
    params: groupParamsSchema,
    body: z.strictObject({ action: z.enum(['approve', 'reject']), participants: participantsSchema }),
    reply: participantResultsSchema,
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us', action: 'approve', participants: ['15550001001'] },
  }),
};
