import { z } from 'zod';
import { contactIdsSchema } from './contacts.js';
import { messageIdSchema, requestCommand, sessionCommand } from './definition.js';
import { instantSchema } from './fields.js';
import { pageSchema } from './pages.js';
import { recipientSchema } from './whatsapp-ids.js';

/** How many entries are in a page of a list: the default and the maximum. */
const LIST_PAGE = { byDefault: 50, max: 200 };

/** How many entries of a list one call looks at. A page may therefore have fewer than its limit, even none. */
export const ENTRIES_PER_CALL = 1_000;

/** How many chats and contacts a list has at most. */
export const LIST_LIMITS = { chats: 10_000, contacts: 20_000 } as const;

/** How many messages one call asks the phone for. */
const MAX_HISTORY = 50;

const yesOrNo = z.enum(['true', 'false']);

const pageFields = {
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(LIST_PAGE.max)
    .default(LIST_PAGE.byDefault)
    .describe('How many at most. A page may have fewer, even none, and have a `nextCursor`'),
  cursor: z
    .string()
    .regex(/^[0-9]{1,20}$/, 'must be the `nextCursor` of the page before')
    .optional()
    .describe('The `nextCursor` of the page before'),
};

const idsOfChat = {
  ...contactIdsSchema.shape,
  id: z
    .string()
    .describe('WhatsApp’s id, by which other calls name it: a LID where it is known, a number, or a group'),
};

export const listedChatSchema = z
  .object({
    ...idsOfChat,
    name: z
      .string()
      .nullable()
      .describe(
        'The subject of a group; of a person as saved on the phone, else as they or their business say',
      ),
    unreadCount: z.number().int().describe('How many messages are unread'),
    markedAsUnread: z.boolean().describe('A person marked the chat as unread'),
    archived: z.boolean(),
    pinned: z.boolean(),
    muted: z.boolean(),
    mutedUntil: instantSchema.nullable().describe('UTC, ISO 8601; null if it is not muted, or without end'),
    locked: z.boolean().describe('Hidden behind the lock of the phone'),
    readOnly: z.boolean().describe('The account cannot write into it, such as a group that it left'),
    disappearing: z.number().describe('Seconds after which messages disappear; 0: never'),
    labels: z.array(z.string()).describe('Ids of the labels that a business account has put on it'),
    lastMessageAt: instantSchema.nullable().describe('When something last happened in it, UTC, ISO 8601'),
    lastMessageId: z.string().nullable().describe('The last message whose id is known'),
  })
  .meta({ id: 'ListedChat', title: 'Chat of a list' });

export const listedContactSchema = z
  .object({
    ...idsOfChat,
    name: z.string().nullable().describe('As saved on the phone; null if the person is not saved'),
    pushName: z.string().nullable().describe('The name that the person gave themselves'),
    businessName: z.string().nullable().describe('The verified name of a business'),
    username: z.string().nullable(),
    blocked: z.boolean(),
  })
  .meta({ id: 'ListedContact', title: 'Contact of a list' });

export type ListedChat = z.output<typeof listedChatSchema>;
export type ListedContact = z.output<typeof listedContactSchema>;

const truncated = {
  truncated: z.boolean().describe('Whether the list was ever full, so that its last entries were dropped'),
};

const named = { chat: recipientSchema };
const example = { chat: '15550001001' };

/** What a list needs of a session: a worker, but no connection to WhatsApp. */
const execution = { requires: 'any', order: 'none' } as const;

/** The lists of chats and contacts that a session keeps. */
export const listCommands = {
  'list-chats': sessionCommand({
    route: 'GET /api/sessions/:id/chats',
    access: 'chats:read',
    cost: 10,
    tag: 'chats',
    summary: 'List the chats with people and groups',
    description:
      'The one in which something happened last first. Needs the setting `lists`, and no connection to WhatsApp. ' +
      `At most ${LIST_LIMITS.chats} chats are kept; those in which nothing happened for longest are dropped.`,
    query: z.strictObject({
      ...pageFields,
      archived: yesOrNo.optional().describe('Only chats that are archived, or only others'),
      unread: yesOrNo
        .optional()
        .describe('Only chats that have unread messages or are marked as unread, or only others'),
    }),
    reply: pageSchema(listedChatSchema).extend(truncated),
    errors: ['LISTS_OFF'],
    execution,
  }),
  'get-chat': sessionCommand({
    route: 'GET /api/sessions/:id/chats/:chat',
    access: 'chats:read',
    cost: 3,
    tag: 'chats',
    summary: 'Get a chat of the list',
    description: 'Needs the setting `lists`, and no connection to WhatsApp.',
    params: named,
    reply: listedChatSchema,
    errors: ['LISTS_OFF', 'CHAT_NOT_LISTED'],
    execution,
    example,
  }),
  'list-contacts': sessionCommand({
    route: 'GET /api/sessions/:id/contacts',
    access: 'contacts:read',
    cost: 10,
    tag: 'contacts',
    summary: 'List the people whom the account knows',
    description:
      'Those that are saved on the phone first, then others whose names are known. Needs the setting `lists`, and no ' +
      `connection to WhatsApp. At most ${LIST_LIMITS.contacts} are kept; those that are not saved are dropped first.`,
    query: z.strictObject({
      ...pageFields,
      saved: z.literal('true').optional().describe('Only people who are saved on the phone'),
      query: z
        .string()
        .trim()
        .min(1)
        .max(100)
        .optional()
        .describe('Only people with this text in one of their names, or with these digits in the number'),
    }),
    reply: pageSchema(listedContactSchema).extend(truncated),
    errors: ['LISTS_OFF'],
    execution,
  }),
};

const beforeSchema = z
  .strictObject({
    messageId: messageIdSchema,
    fromMe: z.boolean().optional().describe('Whether the account sent it'),
    sentAt: instantSchema.optional(),
  })
  .describe(
    'The message before which to look. The last two fields are needed for a message that the session does not know. ' +
      'Default: the last message of the chat, if the session keeps lists',
  );

/** Older messages, which the phone has. */
export const historyCommands = {
  'request-history': requestCommand({
    route: 'POST /api/sessions/:id/chats/:chat/history',
    access: 'chats:read',
    cost: 20,
    tag: 'chats',
    summary: 'Ask the phone for older messages of a chat',
    description:
      'They come as events that are marked `history`, with `sync.type` 6 and this `requestId` as `sync.requestId`, ' +
      'when the phone is online. Nothing comes if the phone does not answer; to ask again is harmless.',
    params: named,
    body: z.strictObject({
      count: z
        .number()
        .int()
        .min(1)
        .max(MAX_HISTORY)
        .optional()
        .describe(`How many messages at most. Default: ${MAX_HISTORY}`),
      before: beforeSchema.optional(),
    }),
    reply: z.object({ requestId: z.string() }),
    errors: ['RECIPIENT_NOT_FOUND', 'MESSAGE_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { ...example, before: { messageId: '3EB0AA01', fromMe: false, sentAt: '2026-05-01T12:00:00Z' } },
  }),
};
