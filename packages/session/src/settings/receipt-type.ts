import type { WASocket } from '@whiskeysockets/baileys';

/**
 * `read` shows the sender that the message was read, `read-self` only the account's own devices: as the account's
 * privacy says. Baileys asks WhatsApp once for each connection.
 */
export async function receiptType(socket: WASocket): Promise<'read' | 'read-self'> {
  const privacy = await socket.fetchPrivacySettings();
  return privacy.readreceipts === 'all' ? 'read' : 'read-self';
}
