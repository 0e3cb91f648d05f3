import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { BaileysEventMap, WASocket } from '@whiskeysockets/baileys';
import { fromBaileys } from './baileys-errors.js';

function closed(cause?: unknown): WafleetError {
  const message = 'The connection to WhatsApp has closed. Nothing was sent.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}

/**
 * Waits before a message is sent.
 * @param begin what is done first.
 * @throws {WafleetError} UNAVAILABLE as soon as the connection closes.
 */
export async function waitWhileOpen(
  socket: WASocket,
  ms: number,
  begin: () => Promise<void> = async () => {},
): Promise<void> {
  const ended = new AbortController();
  const onUpdate = ({ connection }: BaileysEventMap['connection.update']) => {
    if (connection === 'close') ended.abort();
  };
  socket.ev.on('connection.update', onUpdate);
  try {
    await begin();
    await delay(ms, undefined, { signal: ended.signal });
  } catch (error) {
    throw fromBaileys(error, { otherwise: closed });
  } finally {
    socket.ev.off('connection.update', onUpdate);
  }
  if (!socket.ws.isOpen) throw closed();
}

/** What a chat shows of an account that is about to send. */
export type Composing = 'composing' | 'recording';

/**
 * Shows in a chat that the account is typing or recording, and waits. The message that follows ends it.
 * @throws {WafleetError} UNAVAILABLE as soon as the connection closes.
 */
export function showTyping(
  socket: WASocket,
  { jid, ms, state }: { jid: string; ms: number; state: Composing },
): Promise<void> {
  return waitWhileOpen(socket, ms, () => socket.sendPresenceUpdate(state, jid));
}
