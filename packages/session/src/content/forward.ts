import { type ContentOf, WafleetError } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';
import type { ContentContext } from './content-context.js';
import { contextOf, withContext } from './context-info.js';

/**
 * The content of another message, marked as forwarded. Files are not sent again: the content names them.
 * @throws {WafleetError} MESSAGE_NOT_FOUND; MESSAGE_UNSUITABLE if a person could not forward it either.
 */
export async function forwardContent(
  { messageId }: ContentOf<'forward'>,
  { known }: ContentContext,
): Promise<proto.IMessage> {
  const { key, content } = await known.requireContent(messageId);
  const { conversation, ...rest } = content;
  const shown = conversation ? { extendedTextMessage: { text: conversation } } : rest;
  const score = (contextOf(shown)?.forwardingScore ?? 0) + (key.fromMe ? 0 : 1);
  // The answer, the mentions and the timer of the original belong to its chat.
  const forwarded = withContext(
    shown,
    score > 0 ? { forwardingScore: score, isForwarded: true } : {},
    'replace',
  );
  if (forwarded !== undefined) return forwarded;
  throw new WafleetError('MESSAGE_UNSUITABLE', 'This kind of message cannot be forwarded.', {
    problem: 'not-forwardable',
  });
}
