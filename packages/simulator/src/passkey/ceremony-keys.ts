import { createHash, createHmac } from 'node:crypto';
import { bytesToCrockford, Curve, hkdf } from '@whiskeysockets/baileys';

/** Length in bytes of keys, nonces, secrets and hashes of a passkey ceremony. */
export const KEY_LENGTH = 32;

/** Bytes of a confirmation code before its encoding: eight characters. */
const CODE_BYTES = 5;

/**
 * The key of the handoff proof: HKDF-SHA256 without salt over the ADV secret of the QR code or pairing code that led to
 * the ceremony. Only a companion and a phone of the same attempt have it.
 */
export function handoffKey(advSecret: Uint8Array): Buffer {
  return Buffer.from(hkdf(advSecret, KEY_LENGTH, { info: 'shortcake-passkey-handoff-v1' }));
}

/** HMAC-SHA256 over the encoded `ProloguePayload`. */
export function handoffProof(key: Uint8Array, prologuePayload: Uint8Array): Buffer {
  return createHmac('sha256', key).update(prologuePayload).digest();
}

/**
 * The companion's commitment to its nonce: SHA-256 over the encoded `CompanionEphemeralIdentity` and the nonce. The
 * bytes must be those that were sent, since another encoder may order or omit fields differently.
 */
export function commitmentTo(ephemeralIdentity: Uint8Array, companionNonce: Uint8Array): Buffer {
  return createHash('sha256').update(ephemeralIdentity).update(companionNonce).digest();
}

/** The code that both devices show, without its dash: eight characters of Crockford's base 32. */
export function confirmationCode(
  primaryNonce: Uint8Array,
  companionNonce: Uint8Array,
  primaryPublicKey: Uint8Array,
): string {
  const digest = createHash('sha256').update(companionNonce).update(primaryPublicKey).digest();
  const bytes = Buffer.alloc(CODE_BYTES);
  for (let index = 0; index < CODE_BYTES; index += 1) {
    bytes[index] = (primaryNonce[index] ?? 0) ^ (digest[index] ?? 0);
  }
  return bytesToCrockford(bytes);
}

/** What both sides know of the companion when they derive the key of the pairing request. */
export interface CompanionName {
  /** The number of DeviceProps.PlatformType. */
  readonly deviceType: number;
  readonly ref: string;
}

/**
 * The AES-256-GCM key of the pairing request: HKDF-SHA256 over the X25519 secret, with the companion's name in the salt.
 * @throws Error for a public key of low order, with which the secret would be all zeros.
 */
export function pairingRequestKey(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  { deviceType, ref }: CompanionName,
): Buffer {
  const secret = Curve.sharedKey(privateKey, publicKey);
  if (secret.every((byte) => byte === 0)) throw new Error('the public key has a low order');
  const salt = Buffer.from(`Companion Pairing ${deviceType} with ref ${ref}`);
  return Buffer.from(hkdf(secret, KEY_LENGTH, { salt, info: 'Pairing Information Encryption Key' }));
}
