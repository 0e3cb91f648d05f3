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

/**
 * Shows in a chat that the account is typing, and waits. The message that follows ends it.
 * @throws {WafleetError} UNAVAILABLE as soon as the connection closes.
 */
export function showTyping(socket: WASocket, jid: string, ms: number): Promise<void> {
  return waitWhileOpen(socket, ms, () => socket.sendPresenceUpdate('composing', jid));
}
