import { z } from 'zod';
import { jid } from '../payloads/fields.js';
import { groupSchema, participantSchema } from '../payloads/groups.js';
import { instantSchema } from './fields.js';
import { cursorSchema } from './pages.js';
import { groupIdSchema, personSchema } from './whatsapp-ids.js';

/** WhatsApp's own bounds. */
const GROUP_LIMITS = {
  subjectCharacters: 100,
  descriptionCharacters: 2_048,
  /** Including the one who creates the group. */
  participants: 1_024,
} as const;

/** How many groups or participants are in a page: the default and the maximum. */
const PAGE_ITEMS = { byDefault: 100, max: 1_000 };

const people = z.array(personSchema).max(GROUP_LIMITS.participants - 1);

/** The people whom a group is created with. */
export const firstParticipantsSchema = people.describe('who is added besides the account; may be empty');

/** The people whom a call is about. */
export const participantsSchema = people.min(1);

export const groupParamsSchema = { group: groupIdSchema };

export const subjectSchema = z.string().trim().min(1).max(GROUP_LIMITS.subjectCharacters);

export const descriptionSchema = z.string().min(1).max(GROUP_LIMITS.descriptionCharacters);

/** What is known of a group besides its participants, by the names that events have. */
export const groupDetailsSchema = groupSchema.omit({
  notify: true,
  participants: true,
  inviteCode: true,
  author: true,
  authorPn: true,
  authorUsername: true,
});

const phone = z.string().optional().describe('the phone number, digits only; absent if it is not known');

export const groupParticipantSchema = participantSchema
  .pick({ id: true, lid: true, phoneNumber: true, username: true, admin: true })
  .extend({ phone });

export const groupJoinRequestSchema = participantSchema
  .pick({ id: true, lid: true, phoneNumber: true, username: true })
  .extend({
    phone,
    requestedAt: instantSchema.optional(),
    method: z.string().optional().describe('`invite_link`, `linked_group_join` or `non_admin_add`'),
  });

/** What became of one person of a request. */
export const participantResultSchema = z.object({
  participant: z.string().describe('the person, as the request has it'),
  lid: jid.optional().describe("the person's LID; absent if it is not known"),
  phoneNumber: jid.optional().describe("the person's id by phone number; absent if it is not known"),
  phone,
  result: z
    .enum([
      'done',
      'already-participant',
      'not-participant',
      'not-requested',
      'not-on-whatsapp',
      'invitation-needed',
      'left-recently',
      'group-full',
      'refused',
      'unknown',
    ])
    .describe(
      '`invitation-needed`: the person lets only some people add them, so send an invitation. ' +
        '`left-recently`: a person who left cannot be added for some time. `not-requested`: there is no request to join. ' +
        '`refused`: see `code`. `unknown`: WhatsApp did not say',
    ),
  code: z.number().int().optional().describe('WhatsApp’s code; absent if it is done'),
  invitation: z
    .object({
      code: z.string().describe('lets this person alone join'),
      expiresAt: instantSchema.optional(),
    })
    .optional()
    .describe('what WhatsApp offers to send to the person instead'),
});

export type ParticipantResult = z.output<typeof participantResultSchema>;

/** In the order of the request. */
export const participantResultsSchema = z.object({ participants: z.array(participantResultSchema) });

export const pageQuerySchema = z.object({
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(PAGE_ITEMS.max)
    .default(PAGE_ITEMS.byDefault)
    .describe('How many items at most. A page may have fewer, since it has at most some 200 KB'),
  cursor: cursorSchema,
});
