import { z } from 'zod';
import { MESSAGE_LIMITS } from './content-fields.js';
import {
  internalMessageCommand,
  messageCommand,
  messageIdSchema,
  type RestCall,
  sessionParamsSchema,
} from './definition.js';
import { FILE_CONTENT_TYPES, FILES_BODY_LIMIT, sentFileContentSchema } from './file-content.js';
import { messageContentSchema, wordContentSchema } from './message-content.js';
import { FILE_ERRORS } from './uploads.js';
import { destinationSchema, isChannel, recipientSchema } from './whatsapp-ids.js';

const textSchema = z.string().min(1).max(MESSAGE_LIMITS.textCharacters);

/** Seconds after which a message disappears. WhatsApp knows no others. */
const DISAPPEARING = [0, 86_400, 604_800, 7_776_000] as const;

/** How long the chat may show that the account is typing before a message, ms. */
const MAX_TYPING_MS = 10_000;

/** The contents that channels take. They are not encrypted. */
const CHANNEL_CONTENTS: ReadonlySet<string> = new Set(['text', 'poll', 'reaction']);

/** What a message of any content can have besides. */
const options = {
  quote: z
    .strictObject({ messageId: messageIdSchema })
    .optional()
    .describe('the message that this one answers, of any chat of the session'),
  disappearing: z
    .union(DISAPPEARING.map((seconds) => z.literal(seconds)))
    .optional()
    .describe(
      'seconds after which the message disappears, 0 for never; by default the timer of a group, in other chats never',
    ),
  typing: z
    .number()
    .int()
    .min(1)
    .max(MAX_TYPING_MS)
    .optional()
    .describe(
      'how long the chat first shows that the account is typing, ms; for a voice note, that it is recording',
    ),
};

/** A message to send. */
export const sendMessageBodySchema = z
  .strictObject({
    to: destinationSchema,
    text: textSchema.optional().describe('short for a content of the type `text`, without anything else'),
    content: messageContentSchema.optional(),
    ...options,
  })
  .refine(({ text, content }) => (text === undefined) !== (content === undefined), {
    path: ['text'],
    message: 'exactly one of text and content is needed',
  })
  .refine(({ content, quote }) => quote === undefined || content?.type !== 'reaction', {
    path: ['quote'],
    message: 'a reaction cannot quote',
  })
  .refine(
    ({ to, content }) => content?.type !== 'text' || content.mentionAll !== true || to.endsWith('@g.us'),
    {
      path: ['content', 'mentionAll'],
      message: 'only a group has members to mention',
    },
  )
  .refine(
    ({ to, content }) => !isChannel(to) || content === undefined || CHANNEL_CONTENTS.has(content.type),
    {
      path: ['content', 'type'],
      message: 'a channel takes texts, polls and reactions',
    },
  )
  .refine(
    ({ to, quote, disappearing, typing }) =>
      !isChannel(to) || [quote, disappearing, typing].every((option) => option === undefined),
    { path: ['to'], message: 'a channel takes no quote, disappearing or typing' },
  )
  .refine(({ to, content }) => !isChannel(to) || content?.type !== 'text' || content.mentions === undefined, {
    path: ['content', 'mentions'],
    message: 'a channel takes no mentions',
  })
  .refine(
    ({ to, content }) =>
      !isChannel(to) || content?.type !== 'reaction' || /^[1-9][0-9]{0,14}$/.test(content.messageId),
    { path: ['content', 'messageId'], message: 'must be the `server_id` of a message of the channel' },
  );
export const sentMessageSchema = z.object({ messageId: z.string() });

const sentFilesSchema = sentMessageSchema.extend({
  itemIds: z.array(z.string()).optional().describe('of an album: the messages of its items'),
});

const sentAnywhereSchema = sentMessageSchema.extend({
  serverId: z
    .string()
    .optional()
    .describe("a channel's own number of the message, `key.server_id` of events: reactions name it by that"),
});

export type SentMessage = z.infer<typeof sentMessageSchema>;

const SEND_ERRORS = [
  'RECIPIENT_NOT_FOUND',
  'MESSAGE_NOT_FOUND',
  'MESSAGE_UNSUITABLE',
  'WHATSAPP_REFUSED',
] as const;

/** How long the messages of an album may take in all, ms. */
const ALBUM_MS = 60_000;

const sendMessage = messageCommand({
  route: 'POST /api/sessions/:id/messages',
  access: 'messages:write',
  cost: 5,
  tag: 'messages',
  summary: 'Send a message',
  description:
    'Answers when WhatsApp has acknowledged the message. `{ to, text }` sends a text; `content` sends every kind, ' +
    'see docs/sending.md. A file may come in the request, as `multipart/form-data`: the part `message` (JSON, with ' +
    '`content.file` left out) and then the part `file`.',
  body: sendMessageBodySchema,
  bodyLimit: FILES_BODY_LIMIT,
  files: { part: 'message', of: 'content' },
  reply: sentAnywhereSchema.extend({
    ...sentFilesSchema.shape,
    linkPreview: z
      .boolean()
      .optional()
      .describe('whether the message has the preview that was to be fetched; not there if none was'),
  }),
  errors: [...SEND_ERRORS, ...FILE_ERRORS],
  example: { to: '15550001001', text: 'hi' },
  kindOf: sendKindOf,
  execution: { deadlineMs: 15_000 + MAX_TYPING_MS },
});

/**
 * The command that sends a message. A text that stands alone goes to the worker as earlier releases know it. One with
 * files goes as a command that they do not know.
 */
function sendKindOf({ to: _to, text, messageId: _id, ...rest }: Readonly<Record<string, unknown>>): string {
  if (hasFiles(rest.content)) return 'send-file-message';
  const isAlone = text !== undefined && Object.values(rest).every((option) => option === undefined);
  return isAlone ? 'send-text' : 'send-message';
}

function hasFiles(content: unknown): boolean {
  if (typeof content !== 'object' || content === null || !('type' in content)) return false;
  return typeof content.type === 'string' && FILE_CONTENT_TYPES.has(content.type);
}

export const messageCommands = {
  'send-message': {
    ...sendMessage,
    /** What workers of all releases know. A content with files goes as `send-file-message`. */
    fields: sendMessage.fields.extend({ content: wordContentSchema.optional() }),
  },
  /** A message with files that an edge has uploaded. */
  'send-file-message': internalMessageCommand({
    fields: { to: recipientSchema, content: sentFileContentSchema, ...options },
    reply: sentFilesSchema,
    execution: { deadlineMs: ALBUM_MS + MAX_TYPING_MS },
  }),
  /** A text alone: what edges of earlier releases send, and later ones to workers of earlier releases. */
  'send-text': internalMessageCommand({
    fields: { to: destinationSchema, text: textSchema },
    reply: sentAnywhereSchema,
  }),
};
const mediaParamsSchema = sessionParamsSchema.extend({ messageId: messageIdSchema });

const MEDIA_ERRORS = [
  'SESSION_NOT_FOUND',
  'SESSION_NOT_OPEN',
  'NO_WORKER',
  'NOT_SUPPORTED',
  'MEDIA_NOT_FOUND',
] as const;

/** Files of messages. */
export const mediaCalls = {
  'get-media': {
    route: 'GET /api/sessions/:id/messages/:messageId/media',
    access: 'events:read',
    cost: 10,
    tag: 'messages',
    summary: 'Get the file of a message',
    description:
      'The image, video, audio, document or sticker of a message of the last seven days, decrypted; 304 where ' +
      '`If-None-Match` names it. The answer breaks off, and never ends regularly, where the file turns out not to be ' +
      'the one that the message tells of.',
    params: mediaParamsSchema,
    answers: {
      200: {
        description: 'The file, with its own type',
        content: { '*/*': { schema: z.string().describe('The bytes of the file') } },
      },
    },
    errors: [...MEDIA_ERRORS, 'MEDIA_GONE', 'MEDIA_TOO_LARGE', 'MEDIA_UNAVAILABLE', 'TOO_MANY_DOWNLOADS'],
    hasHead: false,
    example: { messageId: 'M' },
  },
  'head-media': {
    route: 'HEAD /api/sessions/:id/messages/:messageId/media',
    access: 'events:read',
    cost: 2,
    tag: 'messages',
    summary: 'Get the headers of the file of a message',
    params: mediaParamsSchema,
    answers: { 200: z.null() },
    errors: MEDIA_ERRORS,
    isHidden: true,
  },
} as const satisfies Record<string, RestCall>;
