import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { groupDetailsSchema, groupParamsSchema } from './group-fields.js';
import { groupIdSchema } from './whatsapp-ids.js';

/** The code of an invitation, or the link that has it. It is never a part of a URL: logs and proxies keep URLs. */
const invitationSchema = z
  .string()
  .max(300)
  .regex(
    /^(https:\/\/chat\.whatsapp\.com\/(invite\/)?)?[A-Za-z0-9_-]{10,64}\/?(\?[\w=&%.-]*)?$/,
    'must be the code of an invitation, or a link such as https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv',
  );

const invitationBodySchema = z.strictObject({ invitation: invitationSchema });

const invitationReplySchema = z.object({
  code: z.string(),
  url: z.string().describe('The link that has the code'),
});

const RIGHTS = ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'] as const;

const INVITATION = 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv';

/** The links by which people join groups. */
export const groupInvitationCommands = {
  'get-group-invitation': sessionCommand({
    route: 'GET /api/sessions/:id/groups/:group/invitation',
    access: 'groups:write',
    cost: 5,
    tag: 'groups',
    summary: 'Get the invitation link of a group',
    description: 'Everyone who has the link can join, or ask to.',
    params: groupParamsSchema,
    reply: invitationReplySchema,
    errors: RIGHTS,
    example: { group: '120363061982759618@g.us' },
    isSecret: true,
  }),
  'revoke-group-invitation': sessionCommand({
    route: 'POST /api/sessions/:id/groups/:group/invitation/revoke',
    access: 'groups:write',
    cost: 10,
    tag: 'groups',
    summary: 'Replace the invitation link of a group',
    description: 'The link before stops working. Answers with the new one.',
    params: groupParamsSchema,
    reply: invitationReplySchema,
    errors: RIGHTS,
    example: { group: '120363061982759618@g.us' },
    isSecret: true,
  }),
  'get-invited-group': sessionCommand({
    route: 'POST /api/sessions/:id/groups/invitation',
    access: 'groups:read',
    cost: 5,
    tag: 'groups',
    summary: 'Look at the group that an invitation leads to',
    description: 'Changes nothing. The invitation is in the body, since URLs are kept in logs.',
    body: invitationBodySchema,
    reply: groupDetailsSchema,
    errors: ['INVITATION_INVALID', 'WHATSAPP_REFUSED'],
    example: { invitation: INVITATION },
  }),
  'join-group': sessionCommand({
    route: 'POST /api/sessions/:id/groups/join',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Join a group by an invitation',
    body: invitationBodySchema,
    reply: z.object({
      group: groupIdSchema,
      result: z
        .enum(['joined', 'already-participant', 'requested'])
        .describe('`requested`: an admin of the group must admit the account first'),
    }),
    errors: ['INVITATION_INVALID', 'GROUP_FULL', 'WHATSAPP_REFUSED'],
    example: { invitation: INVITATION },
  }),
};
