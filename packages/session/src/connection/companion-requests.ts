import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import {
  aesEncryptCTR,
  type BinaryNode,
  bytesToCrockford,
  derivePairingCodeKey,
  getCompanionPlatformId,
  jidEncode,
  type WABrowserDescription,
  type WASocket,
} from '@whiskeysockets/baileys';
import { askWhatsApp } from '../baileys/ask-whatsapp.js';
import { causeOf } from './disconnects.js';

const CODE_BYTES = 5;
const LOGGED_OUT = 401;

/**
 * Requests whose own methods in Baileys (`requestPairingCode`, `logout`) resolve once they are written, even
 * without an answer. These resolve when WhatsApp has answered.
 */

/**
 * Asks WhatsApp for a code with which a phone can link this client, and resolves to the code.
 * @param options.phone digits only, country code first.
 * @param options.browser what the client has said of itself when it connected.
 * @throws {WafleetError} WHATSAPP_REFUSED, with WhatsApp's code in `details`. The credentials are then as before.
 * @throws {Error} if the connection ends, or no answer comes within 10 s.
 */
export async function requestPairingCode(
  socket: WASocket,
  { phone, browser }: { readonly phone: string; readonly browser: WABrowserDescription },
): Promise<string> {
  const { creds } = socket.authState;
  const code = bytesToCrockford(randomBytes(CODE_BYTES));
  const jid = jidEncode(phone, 's.whatsapp.net');
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const key = await derivePairingCodeKey(code, salt);
  const wrapped = aesEncryptCTR(creds.pairingEphemeralKeyPair.public, key, iv);
  const field = (tag: string, content: Uint8Array | string): BinaryNode => ({ tag, attrs: {}, content });
  const previous = { me: creds.me, pairingCode: creds.pairingCode };
  // Baileys needs both when the phone answers, which may be at once.
  const me = { id: jid, name: '~' };
  Object.assign(creds, { pairingCode: code, me });
  try {
    await askWhatsApp(socket, {
      tag: 'link_code_companion_reg',
      attrs: { jid, stage: 'companion_hello', should_show_push_notification: 'true' },
      content: [
        field('link_code_pairing_wrapped_companion_ephemeral_pub', Buffer.concat([salt, iv, wrapped])),
        field('companion_server_auth_key_pub', creds.noiseKey.public),
        field('companion_platform_id', getCompanionPlatformId(browser)),
        field('companion_platform_display', `${browser[1]} (${browser[0]})`),
        field('link_code_pairing_nonce', '0'),
      ],
    });
  } catch (error) {
    if (creds.pairingCode === code) Object.assign(creds, previous);
    throw error;
  }
  socket.ev.emit('creds.update', { me, pairingCode: code });
  return code;
}

/**
 * Removes this device at WhatsApp. Resolves when WhatsApp has confirmed the removal, by an answer or by ending the
 * connection because the device was removed.
 * @throws {WafleetError} WHATSAPP_REFUSED. {Error} if the connection ends otherwise, or no answer comes within 10 s.
 */
export async function removeCompanion(socket: WASocket): Promise<void> {
  const jid = socket.authState.creds.me?.id;
  if (jid === undefined) return;
  const removed = new Promise<void>((resolve) => {
    socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'close' && causeOf(lastDisconnect).statusCode === LOGGED_OUT) resolve();
    });
  });
  const answered = askWhatsApp(socket, {
    tag: 'remove-companion-device',
    attrs: { jid, reason: 'user_initiated' },
  }).then(
    () => {},
    async (error: unknown) => {
      // The end of the connection is emitted shortly before or after the request fails because of it.
      if (error instanceof WafleetError || !(await withTimeout(removed, 1_000))) throw error;
    },
  );
  await Promise.race([answered, removed]);
}
