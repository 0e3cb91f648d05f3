import { type CommandFields, type CommandReply, WafleetError } from '@wafleet/contract';
import { albumParts } from '../content/album.js';
import { inContext } from '../content/context-info.js';
import { fileContent, wrapped } from '../content/files.js';
import type { CommandContext } from './command-context.js';
import { messageContext } from './message-context.js';

/**
 * Sends a message with files, which are uploaded already. Nothing is sent before all that it needs is found.
 * @throws {WafleetError} as `MessageSender.send`, and UPLOAD_NOT_FOUND. If a part of an album was sent, `details.sent` has
 * the number of its items, and UNAVAILABLE becomes OUTCOME_UNKNOWN.
 */
export async function sendFiles(
  session: CommandContext,
  { content, ...fields }: CommandFields<'send-file-message'>,
): Promise<CommandReply<'send-file-message'>> {
  const { socket, recipients, messages, files } = session;
  const { to, typing, messageId } = fields;
  messages.requireReading();
  const jid = await recipients.find(socket, to);
  const contextInfo = await messageContext(session, jid, fields);
  const parts =
    content.type === 'album'
      ? albumParts(content, { remoteJid: jid, id: messageId }, { ...files, contextInfo })
      : [{ messageId, content: wrapped(content, inContext(fileContent(content, files), contextInfo)) }];
  for (const [index, part] of parts.entries()) {
    const how = index === 0 ? { typing } : { isPart: true };
    await messages.send(socket, { jid, ...part, ...how }).catch((error: unknown) => {
      throw index === 0 ? error : partlySent(error, { messageId, sent: index - 1 });
    });
  }
  const itemIds = parts.slice(1).map((part) => part.messageId);
  return { messageId, ...(itemIds.length === 0 ? {} : { itemIds }) };
}

/** The error of an album whose first message was sent: never one that says that nothing was sent. */
function partlySent(error: unknown, details: { messageId: string; sent: number }): unknown {
  if (!(error instanceof WafleetError)) return error;
  if (error.code !== 'UNAVAILABLE') {
    return new WafleetError(error.code, error.message, { ...error.details, ...details }, { cause: error });
  }
  const message = 'Only a part of the album was sent. Send it again with the same `Idempotency-Key`.';
  return new WafleetError('OUTCOME_UNKNOWN', message, details, { cause: error });
}
