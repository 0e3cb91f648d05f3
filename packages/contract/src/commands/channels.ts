import { z } from 'zod';
import { messageSchema } from '../payloads/messages.js';
import { sessionCommand } from './definition.js';
import { instantSchema } from './fields.js';
import { pageQuerySchema } from './group-fields.js';
import { pageSchema } from './pages.js';
import { channelIdSchema } from './whatsapp-ids.js';

/** WhatsApp's own bounds, but for the picture: as base64 it is as large as the longest text in UTF-8. */
const CHANNEL_LIMITS = {
  nameCharacters: 100,
  descriptionCharacters: 2_048,
  pictureBytes: 192 * 1024,
} as const;

/** How many messages are in a page: the default and the maximum. */
const PAGE_MESSAGES = { byDefault: 50, max: 100 };

export const channelSchema = z.object({
  id: channelIdSchema,
  name: z.string(),
  description: z.string().nullable(),
  invitation: z.string().nullable().describe('The code of the link by which people find the channel'),
  link: z.string().nullable().describe('The link itself'),
  createdAt: instantSchema.optional(),
  followers: z.number().int().optional().describe('How many people follow it, as far as WhatsApp says it'),
  verified: z.boolean().describe('Whether WhatsApp has verified who runs it'),
  state: z.string().optional().describe('`active`, `suspended` or `geosuspended`, as WhatsApp has it'),
  role: z
    .string()
    .optional()
    .describe(
      'What the account is in it: `owner`, `admin`, `subscriber` or `guest`; absent if not asked for',
    ),
  muted: z.boolean().optional().describe('Whether the account has muted it'),
  pictureUrl: z.string().nullable().describe('Where the picture can be fetched; null: there is none'),
});

export type Channel = z.output<typeof channelSchema>;

/** A post as `messages.upsert` has it, with what people have done with it. */
export const channelMessageSchema = messageSchema.extend({
  views: z.number().int().optional().describe('How often it was seen'),
});

const nameSchema = z.string().trim().min(1).max(CHANNEL_LIMITS.nameCharacters);
const descriptionSchema = z.string().trim().min(1).max(CHANNEL_LIMITS.descriptionCharacters);

const messagesQuerySchema = z.strictObject({
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(PAGE_MESSAGES.max)
    .default(PAGE_MESSAGES.byDefault)
    .describe('How many messages at most. A page may have fewer, since it has at most some 200 KB'),
  cursor: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, 'must be the nextCursor of the page before')
    .optional()
    .describe('The `nextCursor` of the page before'),
});

const params = { channel: channelIdSchema };
const example = { channel: '120363144038483540@newsletter' };
const reading = { access: 'channels:read', tag: 'channels' } as const;
const writing = { access: 'channels:write', tag: 'channels' } as const;
const READ_ERRORS = ['CHANNEL_NOT_FOUND', 'WHATSAPP_REFUSED'] as const;
const ADMIN_ERRORS = ['CHANNEL_NOT_FOUND', 'NOT_CHANNEL_ADMIN', 'WHATSAPP_REFUSED'] as const;

/** Channels, which WhatsApp’s protocol calls newsletters. */
export const channelCommands = {
  'list-channels': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/channels',
    cost: 10,
    summary: 'List the channels that the account follows or runs',
    description: 'Asks WhatsApp for every page. In the order of the ids.',
    query: pageQuerySchema,
    reply: pageSchema(channelSchema),
    errors: ['WHATSAPP_REFUSED'],
  }),
  'get-channel': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/channels/:channel',
    cost: 5,
    summary: 'Get a channel',
    description: 'Any channel, whether the account follows it or not.',
    params,
    reply: channelSchema,
    errors: READ_ERRORS,
    example,
  }),
  'get-channel-by-invitation': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/channels/invitation/:invitation',
    cost: 5,
    summary: 'Get the channel that a link leads to',
    description: '`invitation` is the last part of `https://whatsapp.com/channel/…`. Such links are public.',
    params: { invitation: z.string().regex(/^[0-9A-Za-z_-]{8,64}$/, 'must be the code of an invitation') },
    reply: channelSchema,
    errors: READ_ERRORS,
    example: { invitation: '0029Va4K0PZ5a245NkngBA2M' },
  }),
  'create-channel': sessionCommand({
    ...writing,
    route: 'POST /api/sessions/:id/channels',
    cost: 50,
    summary: 'Create a channel',
    description:
      'The account becomes its owner. WhatsApp refuses accounts that have not accepted its terms for channels: create ' +
      'the first one on the phone.',
    body: z.strictObject({ name: nameSchema, description: descriptionSchema.optional() }),
    reply: channelSchema,
    errors: ['WHATSAPP_REFUSED'],
    example: { name: 'News' },
  }),
  'change-channel': sessionCommand({
    ...writing,
    route: 'PATCH /api/sessions/:id/channels/:channel',
    cost: 10,
    summary: 'Change the name and description of a channel',
    description: 'What is not named stays as it is. Both are changed, or none.',
    params,
    body: z
      .strictObject({
        name: nameSchema.optional(),
        description: descriptionSchema.nullish().describe('null removes it'),
      })
      .refine((change) => Object.values(change).some((value) => value !== undefined), {
        message: 'at least one of name and description is needed',
      }),
    reply: z.object({}),
    errors: ADMIN_ERRORS,
    example: { ...example, name: 'News' },
  }),
  'delete-channel': sessionCommand({
    ...writing,
    route: 'DELETE /api/sessions/:id/channels/:channel',
    cost: 20,
    summary: 'Delete a channel that the account owns, for everyone',
    params,
    reply: z.object({}),
    errors: ADMIN_ERRORS,
    example,
  }),
  'set-channel-picture': sessionCommand({
    ...writing,
    route: 'PUT /api/sessions/:id/channels/:channel/picture',
    cost: 20,
    summary: 'Set the picture of a channel',
    description: 'Send a square: apps of WhatsApp send 640 × 640 pixels.',
    params,
    body: z.strictObject({
      image: z
        .base64()
        .max(Math.ceil(CHANNEL_LIMITS.pictureBytes / 3) * 4)
        .startsWith('/9j/', 'must be a JPEG file as base64')
        .describe('A JPEG file of at most 192 KiB, as base64'),
    }),
    reply: z.object({}),
    errors: ADMIN_ERRORS,
    example: { ...example, image: '/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==' },
  }),
  'remove-channel-picture': sessionCommand({
    ...writing,
    route: 'DELETE /api/sessions/:id/channels/:channel/picture',
    cost: 10,
    summary: 'Remove the picture of a channel',
    params,
    reply: z.object({}),
    errors: ADMIN_ERRORS,
    example,
  }),
  'follow-channel': sessionCommand({
    ...writing,
    route: 'PUT /api/sessions/:id/channels/:channel/follow',
    cost: 10,
    summary: 'Follow a channel',
    description: 'Its messages come as events from then on.',
    params,
    reply: z.object({}),
    errors: READ_ERRORS,
    example,
  }),
  'unfollow-channel': sessionCommand({
    ...writing,
    route: 'DELETE /api/sessions/:id/channels/:channel/follow',
    cost: 10,
    summary: 'Stop following a channel',
    params,
    reply: z.object({}),
    errors: READ_ERRORS,
    example,
  }),
  'mute-channel': sessionCommand({
    ...writing,
    route: 'PUT /api/sessions/:id/channels/:channel/mute',
    cost: 5,
    summary: 'Mute a channel',
    description: 'On the devices of the account. Events of it still come.',
    params,
    reply: z.object({}),
    errors: READ_ERRORS,
    example,
  }),
  'unmute-channel': sessionCommand({
    ...writing,
    route: 'DELETE /api/sessions/:id/channels/:channel/mute',
    cost: 5,
    summary: 'Unmute a channel',
    params,
    reply: z.object({}),
    errors: READ_ERRORS,
    example,
  }),
  'list-channel-messages': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/channels/:channel/messages',
    cost: 10,
    summary: 'List the messages of a channel',
    description:
      'The newest first, each as the event `messages.upsert` has it, with `views` and the number of each `reactions`. ' +
      'Deleted ones have no `message`, nor have those of more than 200 KB.',
    params,
    query: messagesQuerySchema,
    reply: pageSchema(channelMessageSchema),
    errors: READ_ERRORS,
    example,
  }),
};
