import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';
import type { ContentContext } from './content-context.js';

/** @throws {WafleetError} MESSAGE_NOT_FOUND, and as `MessageTargets.find` does. */
export async function reactionContent(
  { messageId, emoji, sender }: ContentOf<'reaction'>,
  { socket, targets, chat }: ContentContext,
): Promise<proto.IMessage> {
  const key = await targets.find(socket, { target: messageId, chat, sender });
  return { reactionMessage: { key, text: emoji, senderTimestampMs: Date.now() } };
}
