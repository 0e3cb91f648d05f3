import { COMMANDS, type JobMessage, type SentMessage } from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';
import type { SessionCommands } from '../sessions/session-commands.js';

/** A message to send, as a request has it. */
export type Message = JobMessage;

/** Sends messages of clients: those of single calls, and those of jobs. */
export class MessageSending {
  readonly #commands: Pick<SessionCommands, 'call'>;

  constructor(commands: Pick<SessionCommands, 'call'>) {
    this.#commands = commands;
  }

  /**
   * Sends a message, and resolves when WhatsApp has acknowledged it.
   * @param messageId as `messageIdOf` makes it. Under the same id, a message reaches its recipient once.
   * @throws {WafleetError} the errors of `SessionCommands.call` and of the command `send-message`.
   */
  async send(ref: SessionRef, message: Message, messageId: string): Promise<SentMessage> {
    const { to, text } = message;
    const { tenantId, sessionId } = ref;
    const kind = COMMANDS['send-message'].kindOf?.({ ...message, messageId });
    const options = { idempotencyKey: messageId };
    if (kind === 'send-text' && text !== undefined) {
      return this.#commands.call({ kind, tenantId, sessionId, to, text, messageId }, options);
    }
    return this.#commands.call({ ...message, kind: 'send-message', tenantId, sessionId, messageId }, options);
  }
}
