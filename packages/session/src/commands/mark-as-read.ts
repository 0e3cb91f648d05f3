import { WafleetError } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import type { TargetKey } from '../known-messages/message-targets.js';
import { receiptType } from '../settings/receipt-type.js';
import { fromBaileys } from './baileys-errors.js';

function notMarked(cause: unknown): WafleetError {
  return new WafleetError('UNAVAILABLE', 'The connection to WhatsApp has closed.', undefined, { cause });
}

/**
 * Sends receipts for messages of others; those of the account are left out.
 * @throws {WafleetError} UNAVAILABLE, WHATSAPP_REFUSED.
 */
export async function markAsRead(socket: WASocket, keys: readonly TargetKey[]): Promise<void> {
  try {
    await socket.sendReceipts([...keys], await receiptType(socket));
  } catch (error) {
    throw fromBaileys(error, { otherwise: notMarked });
  }
}
