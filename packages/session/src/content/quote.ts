import { proto, type WASocket } from '@whiskeysockets/baileys';
import type { MessageWithContent } from '../known-messages/known-messages.js';
import type { MessageTargets } from '../known-messages/message-targets.js';
import { withContext } from './context-info.js';

/**
 * The context of a message that answers another one. Phones show the answered message as it stands in the context, and
 * find it by its id and author.
 */
export async function quoteOf(
  socket: WASocket,
  { key, content }: MessageWithContent,
  { chat, targets }: { readonly chat: string; readonly targets: MessageTargets },
): Promise<proto.IContextInfo> {
  const isOfChat = !key.remoteJid || (await targets.isSameChat(key.remoteJid, chat));
  return {
    stanzaId: key.id,
    participant: targets.authorOf(socket, { ...key, remoteJid: key.remoteJid ?? chat }),
    // What the answered message answers itself is not repeated.
    quotedMessage: proto.Message.create(withContext(content, {}, 'replace') ?? content),
    ...(isOfChat ? {} : { remoteJid: key.remoteJid }),
  };
}
