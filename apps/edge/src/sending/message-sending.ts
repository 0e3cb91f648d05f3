import {
  COMMANDS,
  type CommandReply,
  hasFiles,
  type JobMessage,
  type StatusContent,
} from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { FileCall } from './file-uploads.js';
import type { LinkPreviews } from './link-preview.js';
import type { MessageFiles } from './message-files.js';

/** A message to send, as a request has it. */
export type Message = JobMessage;

/** A status to post, as a request has it. */
export interface Status {
  readonly content: StatusContent;
  readonly recipients: string[];
}

interface SendCall {
  /** As `messageIdOf` makes it. Under the same id, a message reaches its recipient once. */
  readonly messageId: string;
  /** The request that asks for it, for the logs. */
  readonly requestId?: string;
  /** The files that came with the request, and its signal. */
  readonly files: FileCall;
}

interface MessageSendingOptions {
  readonly commands: Pick<SessionCommands, 'call'>;
  readonly previews: Pick<LinkPreviews, 'fill'>;
  readonly files: Pick<MessageFiles, 'prepare' | 'prepareStatus'>;
}

/** Sends messages of clients: those of single calls, and those of jobs. */
export class MessageSending {
  readonly #options: MessageSendingOptions;

  constructor(options: MessageSendingOptions) {
    this.#options = options;
  }

  /**
   * Uploads the files of a message, or fetches the preview of a link that it asks for, and sends it. Resolves when
   * WhatsApp has acknowledged it.
   * @throws {WafleetError} the errors of `SessionCommands.call`, of the command `send-message` and of
   * `MessageFiles.prepare`. The reason of the call's signal, if that is aborted before the files are uploaded.
   */
  async send(
    ref: SessionRef,
    message: Message,
    { messageId, requestId, files }: SendCall,
  ): Promise<CommandReply<'send-message'>> {
    const { commands, previews } = this.#options;
    const { to, text } = message;
    const { tenantId, sessionId } = ref;
    const kind = COMMANDS['send-message'].kindOf?.({ ...message, messageId });
    const options = { idempotencyKey: messageId, requestId };
    if (kind === 'send-text' && text !== undefined) {
      return commands.call({ kind, tenantId, sessionId, to, text, messageId }, options);
    }
    const place = { tenantId, sessionId, messageId };
    if (message.content !== undefined && hasFiles(message.content)) {
      const content = await this.#options.files.prepare(ref, message.content, files);
      return commands.call({ ...message, content, kind: 'send-file-message', ...place }, options);
    }
    const { content, linkPreview } = await previews.fill(tenantId, message.content);
    const command = { ...message, content, kind: 'send-message', ...place } as const;
    const sent = await commands.call(command, options);
    return { ...sent, ...(linkPreview === undefined ? {} : { linkPreview }) };
  }

  /**
   * Uploads the file of a status, if it has one, and posts it. Resolves when WhatsApp has acknowledged it.
   * @throws {WafleetError} the errors of `SessionCommands.call`, of the command `post-status` and of
   * `MessageFiles.prepare`. The reason of the call's signal, if that is aborted before the file is uploaded.
   */
  async postStatus(
    { tenantId, sessionId }: SessionRef,
    { content, recipients }: Status,
    { messageId, requestId, files }: SendCall,
  ): Promise<CommandReply<'post-status'>> {
    const { commands } = this.#options;
    const options = { idempotencyKey: messageId, requestId };
    const command = { tenantId, sessionId, messageId, recipients };
    if (content.type === 'text') return commands.call({ ...command, kind: 'post-status', content }, options);
    const prepared = await this.#options.files.prepareStatus({ tenantId, sessionId }, content, files);
    return commands.call({ ...command, kind: 'post-file-status', content: prepared }, options);
  }
}
