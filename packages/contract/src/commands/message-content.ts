import { z } from 'zod';
import { MESSAGE_LIMITS, mentionsSchema } from './content-fields.js';
import { messageIdSchema } from './definition.js';
import { instantSchema } from './fields.js';
import { FILE_CONTENT_TYPES, type FileContent, fileContentSchemas } from './file-content.js';
import { groupIdSchema, personSchema } from './whatsapp-ids.js';

const webAddressSchema = z.url({ protocol: /^https?$/ }).max(MESSAGE_LIMITS.linkCharacters);

/** Who wrote a message. */
export const senderSchema = z.union([z.literal('me'), personSchema]);

/** Base64 of a JPEG file. */
const thumbnailSchema = z
  .base64()
  .max(Math.ceil(MESSAGE_LIMITS.thumbnailBytes / 3) * 4)
  .startsWith('/9j/', 'must be a JPEG file as base64')
  .describe('a JPEG file of at most 32 KiB, as base64');

/** A link alone is fetched by the edge, which then fills in the rest. */
const linkPreviewSchema = z
  .strictObject({
    url: webAddressSchema.describe('the link, as the text has it'),
    title: z
      .string()
      .min(1)
      .max(MESSAGE_LIMITS.previewTitleCharacters)
      .optional()
      .describe('without it, the page of the link is fetched for title, description and thumbnail'),
    description: z.string().max(MESSAGE_LIMITS.previewDescriptionCharacters).optional(),
    thumbnail: thumbnailSchema.optional(),
  })
  .refine(
    ({ title, description, thumbnail }) =>
      title !== undefined || (description === undefined && thumbnail === undefined),
    { path: ['title'], message: 'is needed with a description or a thumbnail' },
  );

/** A preview that a worker can show: given by the client, or filled in by an edge. */
export type GivenLinkPreview = z.output<typeof linkPreviewSchema> & { title: string };

const mentionAllSchema = z.boolean().describe('notifies all members of a group');

export const textFields = {
  text: z.string().min(1).max(MESSAGE_LIMITS.textCharacters),
  mentions: mentionsSchema.optional(),
};

const textContentSchema = z
  .strictObject({
    type: z.literal('text'),
    ...textFields,
    mentionAll: mentionAllSchema.optional(),
    linkPreview: z
      .union([z.literal(true), linkPreviewSchema])
      .optional()
      .describe('what the phone shows of a link; true to fetch the first link of the text'),
  })
  .refine(
    ({ text, linkPreview }) =>
      linkPreview === undefined || linkPreview === true || text.includes(linkPreview.url),
    { path: ['linkPreview', 'url'], message: 'must be a part of the text' },
  );

const placeFields = {
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  name: z.string().min(1).max(1_000).optional(),
  address: z.string().min(1).max(1_000).optional(),
};

const locationContentSchema = z.strictObject({
  type: z.literal('location'),
  ...placeFields,
  url: webAddressSchema.optional(),
});

const contactSchema = z.union([
  z.strictObject({
    name: z.string().trim().min(1).max(300),
    phone: z.string().regex(/^\+?[1-9][0-9]{6,14}$/, 'must be a phone number with its country code'),
  }),
  z.strictObject({
    name: z.string().trim().min(1).max(300).describe('what the chat shows'),
    vCard: z
      .string()
      .max(MESSAGE_LIMITS.vCardCharacters)
      .regex(/^BEGIN:VCARD\r?\n[\s\S]*\nEND:VCARD\s*$/, 'must begin with BEGIN:VCARD and end with END:VCARD'),
  }),
]);

const contactsContentSchema = z.strictObject({
  type: z.literal('contacts'),
  contacts: z.array(contactSchema).min(1).max(MESSAGE_LIMITS.contacts),
});

export const pollOptionSchema = z.string().trim().min(1).max(MESSAGE_LIMITS.pollOptionCharacters);

const pollContentSchema = z
  .strictObject({
    type: z.literal('poll'),
    question: z.string().trim().min(1).max(MESSAGE_LIMITS.pollQuestionCharacters),
    options: z
      .array(pollOptionSchema)
      .min(2)
      .max(MESSAGE_LIMITS.pollOptions)
      .refine((options) => new Set(options).size === options.length, 'must differ from each other'),
    selectable: z
      .number()
      .int()
      .min(1)
      .max(MESSAGE_LIMITS.pollOptions)
      .optional()
      .describe('how many options a person can choose, 1 by default; the number of options for any number'),
  })
  .refine(({ options, selectable = 1 }) => selectable <= options.length, {
    path: ['selectable'],
    message: 'must be at most the number of options',
  });

const eventContentSchema = z
  .strictObject({
    type: z.literal('event'),
    name: z.string().trim().min(1).max(100),
    description: z.string().min(1).max(2_048).optional(),
    start: instantSchema,
    end: instantSchema.optional(),
    location: z.strictObject(placeFields).optional(),
  })
  .refine(({ start, end }) => end === undefined || Date.parse(end) > Date.parse(start), {
    path: ['end'],
    message: 'must be after the start',
  });

/**
 * Phones show nothing else than an emoji. `v` is the flag with which a class can match several code points; the
 * second alternative takes emojis that lack the variation selector.
 */
const EMOJI_PATTERN = '^(\\p{RGI_Emoji}|\\p{Extended_Pictographic})\\uFE0F?$';
const EMOJI = new RegExp(EMOJI_PATTERN, 'v');

const reactionContentSchema = z.strictObject({
  type: z.literal('reaction'),
  messageId: messageIdSchema.describe('the message reacted to, in the chat `to`'),
  sender: senderSchema
    .optional()
    .describe(
      'who wrote it, of a message that the session does not know by its id; the other person by default',
    ),
  emoji: z
    .string()
    .max(64)
    .refine(
      (emoji) => emoji === '' || EMOJI.test(emoji),
      'must be one emoji, or empty to remove the reaction',
    ),
});

const forwardContentSchema = z.strictObject({
  type: z.literal('forward'),
  messageId: messageIdSchema.describe('the message to forward, of any chat of the session'),
});

const groupInvitationContentSchema = z.strictObject({
  type: z.literal('group-invitation'),
  groupId: groupIdSchema,
  groupName: z.string().min(1).max(100),
  code: z.string().regex(/^[0-9A-Za-z_-]{8,64}$/, 'must be the code of an invitation'),
  expiresAt: instantSchema,
  caption: z.string().min(1).max(1_024).optional(),
});

const wordContentSchemas = [
  textContentSchema,
  locationContentSchema,
  contactsContentSchema,
  pollContentSchema,
  eventContentSchema,
  reactionContentSchema,
  forwardContentSchema,
  groupInvitationContentSchema,
] as const;

/** The contents that have no file of their own, by `type`: what workers of all releases know. */
export const wordContentSchema = z.discriminatedUnion('type', wordContentSchemas);

/** What a message says, by `type`, as clients write it. */
export const messageContentSchema = z.discriminatedUnion('type', [
  ...wordContentSchemas,
  ...fileContentSchemas,
]);

/** A content without a file of its own. */
export type MessageContent = z.output<typeof wordContentSchema>;

/** Whether a content has files, which are uploaded before the message is sent. */
export function hasFiles(content: MessageContent | FileContent): content is FileContent {
  return FILE_CONTENT_TYPES.has(content.type);
}

export type ContentType = MessageContent['type'];
/** One of a type. */
export type ContentOf<T extends ContentType> = Extract<MessageContent, { type: T }>;
