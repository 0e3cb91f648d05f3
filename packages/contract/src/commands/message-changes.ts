import { z } from 'zod';
import { messageCommand, messageIdSchema, sessionCommand } from './definition.js';
import { pollOptionSchema, senderSchema, textFields } from './message-content.js';
import { sentMessageSchema } from './messages.js';
import { destinationSchema, personSchema, recipientSchema } from './whatsapp-ids.js';

const target = { target: messageIdSchema.describe('the id of the message') };

const CHAT = 'the chat of a message that the session does not know by its id';

/** Names a message that the session does not know by its id. */
const chatFields = { chat: recipientSchema.optional().describe(CHAT) };
const senderField = senderSchema
  .optional()
  .describe(
    'who wrote it: `me`, or the person; needed with `chat` in groups, else the other person by default',
  );
const chatAndSenderQuery = z.strictObject({ ...chatFields, sender: senderField });

/** The same for what channels take too. */
const anyChat = { chat: destinationSchema.optional().describe(CHAT) };
const anyChatQuery = z.strictObject(anyChat);
const anyChatAndSenderQuery = z.strictObject({ ...anyChat, sender: senderField });

const common = { access: 'messages:write', tag: 'messages' } as const;
const FIND_ERRORS = ['MESSAGE_NOT_FOUND', 'RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'] as const;
const CHANGE_ERRORS = [...FIND_ERRORS, 'MESSAGE_UNSUITABLE'] as const;

/** How many messages one call marks as read. */
const MAX_READ = 100;

/**
 * Calls on one message. Its chat and author are found by its id if the session knows the message, else the caller names
 * them by `chat` and `sender`.
 */
export const messageChangeCommands = {
  'edit-message': messageCommand({
    ...common,
    route: 'PATCH /api/sessions/:id/messages/:target',
    cost: 5,
    summary: 'Edit a text that the account sent',
    description: 'Phones show the new text if the message is at most 15 minutes old.',
    params: target,
    query: anyChatQuery,
    body: z.strictObject(textFields),
    reply: sentMessageSchema,
    errors: CHANGE_ERRORS,
    example: { target: 'M', text: 'hi again' },
  }),
  'delete-message': messageCommand({
    ...common,
    route: 'DELETE /api/sessions/:id/messages/:target',
    cost: 5,
    summary: 'Delete a message for everyone',
    description: 'A message of the account, or as an admin that of somebody else in a group or channel.',
    params: target,
    query: anyChatAndSenderQuery,
    reply: sentMessageSchema,
    errors: CHANGE_ERRORS,
    example: { target: 'M' },
  }),
  'delete-message-for-me': sessionCommand({
    ...common,
    route: 'DELETE /api/sessions/:id/messages/:target/for-me',
    cost: 5,
    summary: 'Delete a message on the devices of the account',
    params: target,
    query: chatAndSenderQuery,
    reply: z.object({}),
    errors: FIND_ERRORS,
    example: { target: 'M' },
  }),
  'star-message': sessionCommand({
    ...common,
    route: 'PUT /api/sessions/:id/messages/:target/star',
    cost: 5,
    summary: 'Star a message',
    params: target,
    query: chatAndSenderQuery,
    reply: z.object({}),
    errors: FIND_ERRORS,
    example: { target: 'M' },
  }),
  'unstar-message': sessionCommand({
    ...common,
    route: 'DELETE /api/sessions/:id/messages/:target/star',
    cost: 5,
    summary: 'Take the star off a message',
    params: target,
    query: chatAndSenderQuery,
    reply: z.object({}),
    errors: FIND_ERRORS,
    example: { target: 'M' },
  }),
  'pin-message': messageCommand({
    ...common,
    route: 'PUT /api/sessions/:id/messages/:target/pin',
    cost: 5,
    summary: 'Pin a message in its chat, for everyone',
    params: target,
    query: chatAndSenderQuery,
    body: z.strictObject({ days: z.union([z.literal(1), z.literal(7), z.literal(30)]) }),
    reply: sentMessageSchema,
    errors: FIND_ERRORS,
    example: { target: 'M', days: 7 },
  }),
  'unpin-message': messageCommand({
    ...common,
    route: 'DELETE /api/sessions/:id/messages/:target/pin',
    cost: 5,
    summary: 'Unpin a message',
    params: target,
    query: chatAndSenderQuery,
    reply: sentMessageSchema,
    errors: FIND_ERRORS,
    example: { target: 'M' },
  }),
  'vote-in-poll': messageCommand({
    ...common,
    route: 'POST /api/sessions/:id/messages/:target/votes',
    cost: 5,
    summary: 'Vote in a poll',
    description:
      'A later vote replaces an earlier one; no options take it back. The session must have received or sent the poll ' +
      'in the last seven days, since votes are encrypted with its secret.',
    params: target,
    body: z.strictObject({ options: z.array(pollOptionSchema).max(12).describe('names of options') }),
    reply: sentMessageSchema,
    errors: ['MESSAGE_NOT_FOUND', 'MESSAGE_UNSUITABLE', 'WHATSAPP_REFUSED'],
    example: { target: 'M', options: ['tea'] },
  }),
  'mark-as-read': sessionCommand({
    ...common,
    route: 'POST /api/sessions/:id/chats/:chat/read',
    cost: 2,
    summary: 'Mark messages of a chat as read',
    description:
      'Shows their senders that they were read, unless the privacy of the account forbids it. WhatsApp does not confirm it.',
    params: { chat: recipientSchema },
    body: z.strictObject({
      messages: z
        .array(
          z.strictObject({
            messageId: messageIdSchema,
            sender: personSchema
              .optional()
              .describe('in groups, of a message that the session does not know'),
          }),
        )
        .min(1)
        .max(MAX_READ),
    }),
    reply: z.object({}),
    errors: FIND_ERRORS,
    example: { chat: '15550001001', messages: [{ messageId: 'M' }] },
  }),
};
