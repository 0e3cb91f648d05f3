import { randomInt } from 'node:crypto';
import type { SessionSettings } from '@wafleet/contract';
import { isJidGroup, normalizeMessageContent, type proto, type WASocket } from '@whiskeysockets/baileys';
import { personId } from '../../identity/person-id.js';
import { type Composing, showTyping, waitWhileOpen } from '../typing.js';

/** How long one message waits at most, in all: WhatsApp then has to acknowledge it before the command's deadline. */
const LONGEST_MS = 8_000;
/** How long a person types: about 20 characters in a second, up to a bound. */
const TYPING = { perCharacterMs: 50, shortestMs: 500, longestMs: 5_000 } as const;

/** A message that is about to be sent. */
interface HeldMessage {
  readonly jid: string;
  readonly content: proto.IMessage;
  /** How long the client wants the chat to show typing, ms. It takes the place of the setting. */
  readonly typing?: number | undefined;
}

/** How a message is held up before it is sent, ms. */
interface HoldUp {
  readonly delayMs: number;
  readonly typingMs: number;
  readonly state: Composing;
}

/**
 * How long a message waits before it is sent: a random time, and then typing if it is a text.
 */
export function holdUpOf(
  { jid, content, typing }: HeldMessage,
  { minDelayMs, maxDelayMs, typing: isTyping }: SessionSettings['pacing'],
): HoldUp {
  const text = content.extendedTextMessage?.text ?? content.conversation;
  // Statuses and channels show no typing.
  const showsTyping = isTyping && (isJidGroup(jid) === true || personId(jid) !== undefined);
  const typingMs = typing ?? (showsTyping && text ? typingOf(text) : 0);
  const delayMs = maxDelayMs > minDelayMs ? randomInt(minDelayMs, maxDelayMs + 1) : minDelayMs;
  const state = normalizeMessageContent(content)?.audioMessage?.ptt === true ? 'recording' : 'composing';
  return { typingMs, state, delayMs: Math.min(delayMs, Math.max(LONGEST_MS - typingMs, 0)) };
}

function typingOf(text: string): number {
  const { perCharacterMs, shortestMs, longestMs } = TYPING;
  return Math.min(Math.max(text.length * perCharacterMs, shortestMs), longestMs);
}

/** @throws {WafleetError} UNAVAILABLE as soon as the connection closes. */
export async function holdUp(
  socket: WASocket,
  jid: string,
  { delayMs, typingMs, state }: HoldUp,
): Promise<void> {
  if (delayMs > 0) await waitWhileOpen(socket, delayMs);
  if (typingMs > 0) await showTyping(socket, { jid, ms: typingMs, state });
}
