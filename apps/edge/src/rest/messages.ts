import { sendMessageBodySchema, sentMessageSchema, WafleetError } from '@wafleet/contract';
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
        description: 'Resolves when WhatsApp has acknowledged the message.',
        tags: ['messages'],
        params: sessionParamsSchema,
        body: sendMessageBodySchema,
        response: { 200: sentMessageSchema, ...errorResponses },
      },
    },
    async (request) => {
      const messageId = generateMessageId();
      const command = { kind: 'send-text' as const, ...sessionRefOf(request), messageId, ...request.body };
      try {
        return await commands.call(command, { idempotencyKey: messageId });
      } catch (error) {
        throw withMessageId(error, messageId);
      }
    },
  );
};

/** If it is not known whether the message was sent, the caller needs its id to look for it. */
function withMessageId(error: unknown, messageId: string): unknown {
  if (!(error instanceof WafleetError) || error.code !== 'OUTCOME_UNKNOWN') return error;
  return new WafleetError(error.code, error.message, { ...error.details, messageId });
}
