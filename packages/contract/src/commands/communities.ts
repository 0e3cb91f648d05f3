import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { descriptionSchema, groupDetailsSchema, pageQuerySchema, subjectSchema } from './group-fields.js';
import { pageSchema } from './pages.js';
import { groupIdSchema } from './whatsapp-ids.js';

const RIGHTS = ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'] as const;

const EXAMPLE = { community: '120363061982759618@g.us', group: '120363061982759619@g.us' };

/**
 * Communities. The id of a community is one of a group, so the calls for groups change it, its participants and its
 * invitation too.
 */
export const communityCommands = {
  'create-community': sessionCommand({
    route: 'POST /api/sessions/:id/communities',
    access: 'groups:write',
    cost: 50,
    tag: 'groups',
    summary: 'Create a community',
    description: 'WhatsApp adds a group for announcements to it. Groups are created in it by `community`.',
    body: z.strictObject({ subject: subjectSchema, desc: descriptionSchema.optional() }),
    reply: z.object({ community: groupDetailsSchema }),
    errors: ['WHATSAPP_REFUSED'],
    example: { subject: 'Company' },
  }),
  'list-community-groups': sessionCommand({
    route: 'GET /api/sessions/:id/communities/:community/groups',
    access: 'groups:read',
    cost: 10,
    tag: 'groups',
    summary: 'List the groups of a community',
    description:
      'With the few fields that WhatsApp shows of groups that the account is not in. Asks WhatsApp for every page. In ' +
      'the order of the ids.',
    params: { community: groupIdSchema },
    query: pageQuerySchema,
    reply: pageSchema(groupDetailsSchema),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'WHATSAPP_REFUSED'],
    example: EXAMPLE,
  }),
  'link-group': sessionCommand({
    route: 'PUT /api/sessions/:id/communities/:community/groups/:group',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Link a group to a community',
    description: 'The account must be an admin of both. A group that is linked to it already stays so.',
    params: { community: groupIdSchema, group: groupIdSchema },
    reply: z.object({}),
    errors: RIGHTS,
    example: EXAMPLE,
  }),
  'unlink-group': sessionCommand({
    route: 'DELETE /api/sessions/:id/communities/:community/groups/:group',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Unlink a group from a community',
    description: 'The group goes on without the community.',
    params: { community: groupIdSchema, group: groupIdSchema },
    reply: z.object({}),
    errors: RIGHTS,
    example: EXAMPLE,
  }),
};
