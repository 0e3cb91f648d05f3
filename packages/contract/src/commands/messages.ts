import { z } from 'zod';
import { messageCommand, messageIdSchema, type RestCall, sessionParamsSchema } from './definition.js';

/** A phone number with its country code, or a WhatsApp id of a person or a group. */
export const recipientSchema = z
  .string()
  .regex(
    /^(\+?[1-9][0-9]{6,14}|[0-9]{5,20}(-[0-9]{5,20})?@(s\.whatsapp\.net|lid|g\.us))$/,
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  );

export const sendMessageBodySchema = z.strictObject({
  to: recipientSchema,
  text: z.string().min(1).max(65_536),
});
export const sentMessageSchema = z.object({ messageId: z.string() });

export type SentMessage = z.infer<typeof sentMessageSchema>;

export const messageCommands = {
  'send-text': messageCommand({
    route: 'POST /api/sessions/:id/messages',
    access: 'messages:write',
    cost: 5,
    tag: 'messages',
    summary: 'Send a text',
    description: 'Answers when WhatsApp has acknowledged the message.',
    body: sendMessageBodySchema,
    reply: sentMessageSchema,
    errors: ['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { to: '15550001001', text: 'hi' },
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
