import { z } from 'zod';
import { messageCommand, messageIdSchema, sessionCommand } from './definition.js';
import { disappearingSecondsSchema } from './disappearing.js';
import { recipientSchema } from './whatsapp-ids.js';

const YEAR_S = 366 * 86_400;

const named = { chat: recipientSchema };
const ERRORS = ['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'] as const;
const example = { chat: '15550001001' };
const call = {
  access: 'chats:write',
  cost: 10,
  tag: 'chats',
  params: named,
  reply: z.object({}),
  errors: ERRORS,
  example,
} as const;

export const muteChatBodySchema = z.strictObject({
  seconds: z
    .number()
    .int()
    .min(60)
    .max(YEAR_S)
    .optional()
    .describe('For how long, up to a year. Default: until it is unmuted'),
});

export const setDisappearingBodySchema = z.strictObject({ seconds: disappearingSecondsSchema });

/** What all devices of an account show of a chat. */
export const chatCommands = {
  'archive-chat': sessionCommand({
    ...call,
    route: 'PUT /api/sessions/:id/chats/:chat/archive',
    summary: 'Archive a chat',
    description: 'It is unpinned too, as in WhatsApp’s apps.',
  }),
  'unarchive-chat': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat/archive',
    summary: 'Take a chat out of the archive',
  }),
  'pin-chat': sessionCommand({
    ...call,
    route: 'PUT /api/sessions/:id/chats/:chat/pin',
    summary: 'Pin a chat to the top of the list',
    description: 'WhatsApp’s apps show three pinned chats.',
  }),
  'unpin-chat': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat/pin',
    summary: 'Unpin a chat',
  }),
  'mute-chat': sessionCommand({
    ...call,
    route: 'PUT /api/sessions/:id/chats/:chat/mute',
    summary: 'Mute a chat, for a time or until it is unmuted',
    body: muteChatBodySchema,
    example: { ...example, seconds: 28_800 },
  }),
  'unmute-chat': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat/mute',
    summary: 'Unmute a chat',
  }),
  'mark-chat-unread': sessionCommand({
    ...call,
    route: 'PUT /api/sessions/:id/chats/:chat/unread',
    summary: 'Mark a chat as unread',
  }),
  'mark-chat-read': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat/unread',
    summary: 'Mark a chat as read on the account’s devices',
    description: 'Sends no read receipts: other people do not see it.',
  }),
  'clear-chat': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat/messages',
    summary: 'Delete all messages of a chat on the account’s devices, starred ones too',
    description: 'Other people keep theirs. It cannot be undone.',
  }),
  'delete-chat': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/chats/:chat',
    summary: 'Delete a chat on the account’s devices',
    description: 'Other people keep theirs. It cannot be undone. A group is not left.',
  }),
  'set-disappearing': messageCommand({
    ...call,
    route: 'PUT /api/sessions/:id/chats/:chat/disappearing',
    summary: 'Set after how long new messages of a chat disappear',
    description:
      'A person is sent a message that says so; `messageId` is its id. A group has a setting instead.',
    body: setDisappearingBodySchema,
    reply: z.object({ messageId: z.string().optional() }),
    example: { ...example, seconds: 604_800 },
  }),
};

/** The colours of labels, as WhatsApp numbers them. */
const LABEL_COLORS = 20;

const labelIdSchema = z.string().regex(/^[0-9]{1,10}$/, 'must be the id of a label, such as 7');

export const saveLabelBodySchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  color: z
    .number()
    .int()
    .min(0)
    .max(LABEL_COLORS - 1)
    .describe('One of WhatsApp’s twenty colours'),
});

const labelCall = { ...call, params: { label: labelIdSchema }, errors: ['WHATSAPP_REFUSED'] } as const;
const onChat = { ...call, params: { ...named, label: labelIdSchema }, example: { ...example, label: '7' } };
const onMessage = {
  ...call,
  params: { ...named, message: messageIdSchema, label: labelIdSchema },
  example: { ...example, message: '3EB0AA01', label: '7' },
};

/** Labels of business accounts. */
export const labelCommands = {
  'save-label': sessionCommand({
    ...labelCall,
    route: 'PUT /api/sessions/:id/labels/:label',
    summary: 'Create a label, or change its name and colour',
    description: 'Business accounts have labels. The caller chooses the id of a new one.',
    body: saveLabelBodySchema,
    example: { label: '7', name: 'Paid', color: 3 },
  }),
  'delete-label': sessionCommand({
    ...labelCall,
    route: 'DELETE /api/sessions/:id/labels/:label',
    summary: 'Delete a label',
    example: { label: '7' },
  }),
  'label-chat': sessionCommand({
    ...onChat,
    route: 'PUT /api/sessions/:id/chats/:chat/labels/:label',
    summary: 'Put a label on a chat',
  }),
  'unlabel-chat': sessionCommand({
    ...onChat,
    route: 'DELETE /api/sessions/:id/chats/:chat/labels/:label',
    summary: 'Take a label off a chat',
  }),
  'label-message': sessionCommand({
    ...onMessage,
    route: 'PUT /api/sessions/:id/chats/:chat/messages/:message/labels/:label',
    summary: 'Put a label on a message',
  }),
  'unlabel-message': sessionCommand({
    ...onMessage,
    route: 'DELETE /api/sessions/:id/chats/:chat/messages/:message/labels/:label',
    summary: 'Take a label off a message',
  }),
};
