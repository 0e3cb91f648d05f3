import { COMMANDS, type Command, WafleetError } from '@wafleet/contract';
import type { WorkerCommand } from '@wafleet/store';
import type { FastifyInstance } from 'fastify';
import { generateMessageId } from '../sessions/message-id.js';
import type { OwnerCommand, SessionCommands } from '../sessions/session-commands.js';
import { addCall } from './calls.js';
import { sessionRefOf } from './session-ref.js';

interface SessionPath {
  readonly id: string;
}

/** Adds a route for each command that REST offers. The session's worker executes the command. */
export function addCommandCalls(app: FastifyInstance, commands: SessionCommands): void {
  for (const [kind, { rest, execution }] of Object.entries<Command>(COMMANDS)) {
    if (rest === undefined) continue;
    const isOnce = execution.repeat === 'once';
    addCall(app, kind, rest, async (request) => {
      const { id, ...fields } = request.params as SessionPath;
      const ref = sessionRefOf(request, { id });
      const messageId = isOnce ? generateMessageId() : undefined;
      const added = messageId === undefined ? {} : { messageId };
      // Fastify validates the request by the schemas that the command's type is made from. The session comes last, so
      // that no field of a request can name another one.
      const command = {
        ...fields,
        ...(request.body ?? {}),
        ...added,
        kind,
        ...ref,
      } as WorkerCommand<OwnerCommand>;
      try {
        return await commands.call(command, messageId === undefined ? {} : { idempotencyKey: messageId });
      } catch (error) {
        throw messageId === undefined ? error : withMessageId(error, messageId);
      }
    });
  }
}

/**
 * Adds the message id to an error if it is not known whether the message was sent: the caller needs it to look for the
 * message.
 */
function withMessageId(error: unknown, messageId: string): unknown {
  if (!(error instanceof WafleetError) || error.code !== 'OUTCOME_UNKNOWN') return error;
  return new WafleetError(error.code, error.message, { ...error.details, messageId }, { cause: error });
}
