import { COMMANDS, type Command, type CommandKind, WafleetError } from '@wafleet/contract';
import type { SessionRef, WorkerCommand } from '@wafleet/store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sessionRefOf } from '../auth/session-ref.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import { PREPARATION_MS } from '../sending/file-uploads.js';
import { LINK_PREVIEW_MS } from '../sending/link-preview.js';
import type { Message, MessageSending, Status } from '../sending/message-sending.js';
import { messageIdOf } from '../sessions/message-id.js';
import type { OwnerCommand, SessionCommands } from '../sessions/session-commands.js';
import { addCall, type CallRunners } from './calls.js';
import type { RequestFiles } from './request-files.js';

type Send = (
  sending: MessageSending,
  ...[ref, body, call]: [SessionRef, unknown, Parameters<MessageSending['send']>[2]]
) => Promise<unknown>;

/** The calls whose messages are prepared before a worker gets them. Their bodies were validated. */
const PREPARED: Readonly<Record<string, Send>> = {
  'send-message': (sending, ref, body, call) => sending.send(ref, body as Message, call),
  'post-status': (sending, ref, body, call) => sending.postStatus(ref, body as Status, call),
};

interface SessionPath {
  readonly id: string;
}

interface CommandCallResources {
  readonly commands: SessionCommands;
  readonly sending: MessageSending;
  readonly requestFiles: RequestFiles;
}

/** The commands of messages whose files have to be uploaded first. */
const WITH_FILES: ReadonlySet<string> = new Set<CommandKind>(['send-file-message', 'post-file-status']);

/** Adds a route for each command that REST offers. The session's worker executes the command. */
export function addCommandCalls(
  app: FastifyInstance,
  runners: CallRunners,
  { commands, sending, requestFiles }: CommandCallResources,
): void {
  const deadlineOf = ({ execution, kindOf }: Command) => {
    if (kindOf === undefined) return execution.deadlineMs;
    return ({ body }: FastifyRequest) => {
      const kind = kindOf({ ...(body ?? {}) });
      if (!WITH_FILES.has(kind)) return execution.deadlineMs + LINK_PREVIEW_MS;
      return (COMMANDS[kind as CommandKind].execution.deadlineMs ?? 0) + PREPARATION_MS;
    };
  };

  for (const [name, defined] of Object.entries<Command>(COMMANDS)) {
    const { rest, execution, kindOf } = defined;
    if (rest === undefined) continue;
    const { repeat } = execution;
    addCall(
      ...([app, runners, name, rest] as const),
      async (request, reply, ids) => {
        const { id, ...inPath } = request.params as SessionPath;
        const ref = sessionRefOf(request, { id });
        const messageId = repeat === 'once' ? messageIdOf(ids.bytes('message')) : undefined;
        const added = messageId === undefined ? {} : { messageId };
        // Fastify validates the request by the schemas that the command's type is made from. The session comes last, so
        // that no field of a request can name another one.
        // A query without a schema was not validated.
        const query = rest.query === undefined ? {} : (request.query ?? {});
        const fields = { ...inPath, ...query, ...(request.body ?? {}), ...added };
        const kind = kindOf?.(fields) ?? name;
        try {
          const requestId = request.id;
          const send = PREPARED[name];
          if (send !== undefined && messageId !== undefined) {
            const files = requestFiles.callOf(request, reply);
            return await send(sending, ref, request.body, { messageId, requestId, files });
          }
          const command = { ...fields, kind, ...ref } as WorkerCommand<OwnerCommand>;
          return await commands.call(command, { idempotencyKey: messageId, requestId });
        } catch (error) {
          throw messageId === undefined
            ? error
            : withMessageId(toWafleetError(error, request.log), messageId);
        }
      },
      {
        deadlineMs: deadlineOf(defined),
        ...(rest.files === undefined ? {} : { receive: (...call) => requestFiles.receive(...call) }),
      },
    );
  }
}

/**
 * Adds the message's id to an error: the caller needs it to look for the message. Not to SESSION_NOT_FOUND, which is the
 * same for a session that the API key may not use.
 */
function withMessageId(error: WafleetError, messageId: string): WafleetError {
  if (error.code === 'SESSION_NOT_FOUND') return error;
  return new WafleetError(error.code, error.message, { ...error.details, messageId }, { cause: error });
}
