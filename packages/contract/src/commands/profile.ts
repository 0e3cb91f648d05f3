import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { disappearingSecondsSchema } from './disappearing.js';
import { instantSchema } from './fields.js';

/** The bounds of a profile picture: width and height in pixels, and bytes. */
export const PICTURE_LIMITS = { minPixels: 192, maxPixels: 640, maxBytes: 256 * 1024 } as const;

const { minPixels, maxPixels, maxBytes } = PICTURE_LIMITS;
const MAX_NAME = 25;
const MAX_ABOUT = 139;

export const profileSchema = z.object({
  phone: z.string().describe('The phone number with its country code'),
  lid: z.string().nullable(),
  name: z.string().nullable().describe('The name that people see who have not saved the account'),
  about: z.string().nullable(),
  aboutSetAt: instantSchema.optional(),
  pictureUrl: z
    .string()
    .nullable()
    .describe('Where the picture can be fetched for some days; null: there is none'),
});

export const setProfileNameBodySchema = z.strictObject({ name: z.string().trim().min(1).max(MAX_NAME) });
export const setAboutBodySchema = z.strictObject({ about: z.string().trim().max(MAX_ABOUT) });
export const setPictureBodySchema = z.strictObject({
  image: z
    .base64()
    .min(1)
    .max(Math.ceil(maxBytes / 3) * 4)
    .describe(
      `A square JPEG of ${minPixels} to ${maxPixels} pixels a side and ${maxBytes / 1024} KiB at most`,
    ),
});

const everyone = z.enum(['all', 'contacts', 'none']);

const privacyFields = {
  lastSeen: everyone.describe('Who sees when the account was last online'),
  online: z.enum(['all', 'match_last_seen']).describe('Who sees that it is online'),
  picture: everyone.describe('Who sees the picture'),
  about: everyone.describe('Who sees the about text'),
  readReceipts: z.enum(['all', 'none']).describe('Whether people see that their messages were read'),
  groupsAdd: z.enum(['all', 'contacts']).describe('Who may add the account to groups'),
  calls: z.enum(['all', 'known']).describe('Whose calls ring'),
  messages: z.enum(['all', 'contacts']).describe('Who may send messages'),
  defaultDisappearing: disappearingSecondsSchema.describe(
    'Seconds after which messages of new chats disappear: a day, a week or 90 days; 0: never',
  ),
};

export type PrivacySetting = keyof typeof privacyFields;

const shown = z.string().optional();

/** As WhatsApp has it: another app may have set values that this API does not set, such as `contact_blacklist`. */
export const privacySchema = z.object({
  lastSeen: shown,
  online: shown,
  picture: shown,
  about: shown,
  readReceipts: shown,
  groupsAdd: shown,
  calls: shown,
  messages: shown,
  defaultDisappearing: z.number().optional().describe('Seconds; 0: never'),
});

export const setPrivacyBodySchema = z
  .strictObject(privacyFields)
  .partial()
  .refine((body) => Object.keys(body).length === 1, 'must have exactly one setting');

const call = { cost: 10, tag: 'profile', reply: z.object({}), errors: ['WHATSAPP_REFUSED'] } as const;
const write = { ...call, access: 'profile:write' } as const;

/** The account itself: what people see of it, and who sees it. */
export const profileCommands = {
  'get-profile': sessionCommand({
    ...call,
    route: 'GET /api/sessions/:id/profile',
    access: 'profile:read',
    summary: 'Get the profile of the account',
    reply: profileSchema,
    example: {},
  }),
  'set-profile-name': sessionCommand({
    ...write,
    route: 'PUT /api/sessions/:id/profile/name',
    summary: 'Set the name that people see who have not saved the account',
    body: setProfileNameBodySchema,
    example: { name: 'Ada' },
  }),
  'set-about': sessionCommand({
    ...write,
    route: 'PUT /api/sessions/:id/profile/about',
    summary: 'Set the about text; an empty one removes it',
    body: setAboutBodySchema,
    example: { about: 'At the shop' },
  }),
  'set-picture': sessionCommand({
    ...write,
    route: 'PUT /api/sessions/:id/profile/picture',
    summary: 'Set the profile picture',
    description: 'The picture is sent as it is: nothing is resized or cropped.',
    body: setPictureBodySchema,
    errors: ['PICTURE_INVALID', 'WHATSAPP_REFUSED'],
    example: { image: '/9j/4AAQ' },
  }),
  'remove-picture': sessionCommand({
    ...write,
    route: 'DELETE /api/sessions/:id/profile/picture',
    summary: 'Remove the profile picture',
    example: {},
  }),
  'get-privacy': sessionCommand({
    ...call,
    route: 'GET /api/sessions/:id/privacy',
    access: 'profile:read',
    summary: 'Get the privacy settings',
    reply: privacySchema,
    example: {},
  }),
  'set-privacy': sessionCommand({
    ...write,
    route: 'PATCH /api/sessions/:id/privacy',
    summary: 'Change one privacy setting',
    description:
      'One in each call, since WhatsApp changes them one by one: a call succeeds or changes nothing.',
    body: setPrivacyBodySchema,
    example: { lastSeen: 'contacts' },
  }),
  'set-presence': sessionCommand({
    ...write,
    route: 'PUT /api/sessions/:id/presence',
    cost: 2,
    summary: 'Show the account as available or not',
    description:
      'Until the connection to WhatsApp ends: the next one begins as the setting `online` of the session says. ' +
      'WhatsApp does not confirm it.',
    body: z.strictObject({ presence: z.enum(['available', 'unavailable']) }),
    errors: [],
    example: { presence: 'available' },
  }),
};
