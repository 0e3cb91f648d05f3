import { sendMessageBodySchema, sentMessageSchema } from '@wafleet/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { generateMessageId } from '../sessions/message-id.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import { errorResponses } from './api-docs.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';

interface MessageRoutesOptions {
  readonly commands: SessionCommands;
}

/** Sending messages. */
export const messageRoutes: FastifyPluginAsyncZod<MessageRoutesOptions> = async (app, { commands }) => {
  app.post(
    '/api/sessions/:id/messages',
    {
      config: { scope: 'messages:write', cost: 5 },
      schema: {
        summary: 'Send a text',
        description: 'Resolves when WhatsApp has taken the message.',
        tags: ['messages'],
        params: sessionParamsSchema,
        body: sendMessageBodySchema,
        response: { 200: sentMessageSchema, ...errorResponses },
      },
    },
    async (request) => {
      const messageId = generateMessageId();
      return commands.call(
        { kind: 'send-text', ...sessionRefOf(request), messageId, ...request.body },
        { idempotencyKey: messageId },
      );
    },
  );
};
