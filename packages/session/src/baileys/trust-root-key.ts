import { WA_CERT_DETAILS } from '@whiskeysockets/baileys';

const ROOT_KEY = /^[0-9a-f]{64}$/i;

/**
 * Makes this process trust a server other than WhatsApp's. The argument is the root key that signs the certificate
 * chain of the Noise handshake, as 64 hexadecimal digits. It applies to every session of the process; call it before
 * the first.
 *
 * Removal condition: Baileys takes the root key as an option (docs/upstream.md, 29).
 * Source: Baileys, Utils/noise-handler.js, which checks the chain against `WA_CERT_DETAILS.PUBLIC_KEY`.
 * @throws {TypeError} if the text is not such a key.
 */
export function trustRootKey(hex: string): void {
  if (!ROOT_KEY.test(hex)) throw new TypeError('a root key is 64 hexadecimal digits');
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(hex, 'hex');
}
