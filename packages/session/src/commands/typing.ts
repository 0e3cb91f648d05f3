import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { BaileysEventMap, WASocket } from '@whiskeysockets/baileys';
import { fromBaileys } from './baileys-errors.js';

function closed(cause?: unknown): WafleetError {
  const message = 'The connection to WhatsApp has closed. Nothing was sent.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}

/**
 * Shows in a chat that the account is typing, and waits. The message that follows ends it.
 * @throws {WafleetError} UNAVAILABLE as soon as the connection closes.
 */
export async function showTyping(socket: WASocket, jid: string, ms: number): Promise<void> {
  const ended = new AbortController();
  const onUpdate = ({ connection }: BaileysEventMap['connection.update']) => {
    if (connection === 'close') ended.abort();
  };
  socket.ev.on('connection.update', onUpdate);
  try {
    await socket.sendPresenceUpdate('composing', jid);
    await delay(ms, undefined, { signal: ended.signal });
  } catch (error) {
    throw fromBaileys(error, { otherwise: closed });
  } finally {
    socket.ev.off('connection.update', onUpdate);
  }
  if (!socket.ws.isOpen) throw closed();
}
