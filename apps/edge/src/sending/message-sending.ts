import { COMMANDS, type JobMessage, type SentMessage } from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { LinkPreviews } from './link-preview.js';

/** A message to send, as a request has it. */
export type Message = JobMessage;

interface MessageIds {
  /** As `messageIdOf` makes it. Under the same id, a message reaches its recipient once. */
  readonly messageId: string;
  /** The request that asks for it, for the logs. */
  readonly requestId?: string;
}

interface MessageSendingOptions {
  readonly commands: Pick<SessionCommands, 'call'>;
  readonly previews: Pick<LinkPreviews, 'fill'>;
}

/** Sends messages of clients: those of single calls, and those of jobs. */
export class MessageSending {
  readonly #options: MessageSendingOptions;

  constructor(options: MessageSendingOptions) {
    this.#options = options;
  }

  /**
   * Sends a message, with the preview of a link that it asks for. Resolves when WhatsApp has acknowledged it.
   * @throws {WafleetError} the errors of `SessionCommands.call` and of the command `send-message`.
   */
  async send(ref: SessionRef, message: Message, { messageId, requestId }: MessageIds): Promise<SentMessage> {
    const { commands, previews } = this.#options;
    const { to, text } = message;
    const { tenantId, sessionId } = ref;
    const kind = COMMANDS['send-message'].kindOf?.({ ...message, messageId });
    const options = { idempotencyKey: messageId, requestId };
    if (kind === 'send-text' && text !== undefined) {
      return commands.call({ kind, tenantId, sessionId, to, text, messageId }, options);
    }
    const { content, linkPreview } = await previews.fill(tenantId, message.content);
    const command = { ...message, content, kind: 'send-message', tenantId, sessionId, messageId } as const;
    const sent = await commands.call(command, options);
    return { ...sent, ...(linkPreview === undefined ? {} : { linkPreview }) };
  }
}
