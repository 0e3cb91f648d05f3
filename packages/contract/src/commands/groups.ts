import { z } from 'zod';
import { sessionCommand } from './definition.js';
import {
  descriptionSchema,
  firstParticipantsSchema,
  groupDetailsSchema,
  groupParamsSchema,
  pageQuerySchema,
  participantResultSchema,
  subjectSchema,
} from './group-fields.js';
import { pageSchema } from './pages.js';
import { groupIdSchema } from './whatsapp-ids.js';

/** How long messages of a group may live, seconds; 0: permanently. Those that apps of WhatsApp offer. */
const lifetimeSchema = z.union([z.literal(0), z.literal(86_400), z.literal(604_800), z.literal(7_776_000)]);

/** A change of a group, by the names that events have. */
export const groupChangeSchema = z.strictObject({
  subject: subjectSchema.optional(),
  desc: descriptionSchema.nullish().describe('the description; null removes it'),
  restrict: z.boolean().optional().describe('only admins change the subject, description and picture'),
  announce: z.boolean().optional().describe('only admins write'),
  memberAddMode: z.boolean().optional().describe('every participant may add people'),
  joinApprovalMode: z.boolean().optional().describe('an admin must admit people who want to join'),
  ephemeralDuration: lifetimeSchema
    .optional()
    .describe('seconds after which messages disappear: a day, a week or 90 days; 0: never'),
});

export type GroupChange = z.output<typeof groupChangeSchema>;

/** Groups as a whole. */
export const groupCommands = {
  'create-group': sessionCommand({
    route: 'POST /api/sessions/:id/groups',
    access: 'groups:write',
    cost: 50,
    tag: 'groups',
    summary: 'Create a group',
    description:
      'The account becomes its admin. The group is created although some people cannot be added: ' +
      '`participants` says of each whether it was added, or why not. People who are not on WhatsApp are left out.',
    body: z.strictObject({
      subject: subjectSchema,
      participants: firstParticipantsSchema,
      community: groupIdSchema.optional().describe('the community that the group belongs to from the start'),
    }),
    reply: z.object({ group: groupDetailsSchema, participants: z.array(participantResultSchema) }),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'],
    example: { subject: 'Team', participants: ['15550001001'] },
  }),
  'list-groups': sessionCommand({
    route: 'GET /api/sessions/:id/groups',
    access: 'groups:read',
    cost: 20,
    tag: 'groups',
    summary: 'List the groups of the account',
    description: 'Asks WhatsApp for every page. In the order of the ids, without participants.',
    query: pageQuerySchema,
    reply: pageSchema(groupDetailsSchema),
    errors: ['WHATSAPP_REFUSED'],
  }),
  'get-group': sessionCommand({
    route: 'GET /api/sessions/:id/groups/:group',
    access: 'groups:read',
    cost: 5,
    tag: 'groups',
    summary: 'Get a group',
    description:
      'WhatsApp is asked only if it has reported a change since it was last asked, or an hour has passed: it refuses ' +
      'accounts that ask too often.',
    params: groupParamsSchema,
    reply: groupDetailsSchema,
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us' },
  }),
  'change-group': sessionCommand({
    route: 'PATCH /api/sessions/:id/groups/:group',
    access: 'groups:write',
    cost: 10,
    tag: 'groups',
    summary: 'Change the subject, description or settings of a group',
    description:
      'What is not named stays as it is. WhatsApp takes each field on its own, in the order of the schema. If it ' +
      'refuses one, those before it are changed: `details.done` of the error has their names.',
    params: groupParamsSchema,
    body: groupChangeSchema,
    reply: z.object({}),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us', subject: 'Team' },
  }),
  'leave-group': sessionCommand({
    route: 'POST /api/sessions/:id/groups/:group/leave',
    access: 'groups:write',
    cost: 10,
    tag: 'groups',
    summary: 'Leave a group',
    params: groupParamsSchema,
    reply: z.object({}),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us' },
  }),
};
