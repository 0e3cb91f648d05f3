import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { bytesToCrockford, Curve, type KeyPair, proto } from '@whiskeysockets/baileys';

/** Length of keys, nonces, secrets and hashes, in bytes. */
export const KEY_BYTES = 32;
const CODE_BYTES = 5;
const IV_BYTES = 12;

/**
 * The cryptography of a client that is linked by passkey, as WhatsApp Web does it. The names are those of WhatsApp's
 * protocol buffers, package waCompanionReg.
 */

/** What the client chooses for one ceremony. */
export interface CeremonyKeys {
  readonly ephemeral: KeyPair;
  /** The client commits to it in the prologue, and reveals it when it knows the phone's nonce. */
  readonly nonce: Uint8Array;
  /** Replaces the secret with which the phone's signature of the link is verified. */
  readonly advSecret: Uint8Array;
}

export function newCeremonyKeys(): CeremonyKeys {
  return {
    ephemeral: Curve.generateKeyPair(),
    nonce: randomBytes(KEY_BYTES),
    advSecret: randomBytes(KEY_BYTES),
  };
}

/** How the client names itself to the phone. */
export interface CompanionName {
  /** The number of DeviceProps.PlatformType. */
  readonly deviceType: number;
  /** WhatsApp's name of the ceremony. */
  readonly ref: string;
}

/** The phone's part: its ephemeral public key and its nonce, of 32 bytes each. */
export interface PrimaryIdentity {
  readonly publicKey: Uint8Array;
  readonly nonce: Uint8Array;
}

/**
 * The key of the handoff proof, which shows the phone that the client is the one whose code it has read.
 * @param advSecret the secret of that QR code, or the one that the pairing code has led to.
 */
export function handoffKey(advSecret: Uint8Array): Buffer {
  return derive(advSecret, '', 'shortcake-passkey-handoff-v1');
}

/** The handoff proof of an encoded ProloguePayload. */
export function handoffProof(key: Uint8Array, payload: Uint8Array): Buffer {
  return createHmac('sha256', key).update(payload).digest();
}

/** The encoded ProloguePayload: the client's name and public key, and the commitment to its nonce. */
export function prologuePayload(name: CompanionName, { ephemeral, nonce }: CeremonyKeys): Uint8Array {
  const companionEphemeralIdentity = proto.CompanionEphemeralIdentity.encode({
    publicKey: ephemeral.public,
    deviceType: name.deviceType,
    ref: name.ref,
  }).finish();
  const hash = createHash('sha256').update(companionEphemeralIdentity).update(nonce).digest();
  return proto.ProloguePayload.encode({ companionEphemeralIdentity, commitment: { hash } }).finish();
}

/** The code that the client and the phone show, eight characters with a dash in the middle. */
export function confirmationCode(companionNonce: Uint8Array, primary: PrimaryIdentity): string {
  const digest = createHash('sha256').update(companionNonce).update(primary.publicKey).digest();
  const bytes = Buffer.from(primary.nonce.subarray(0, CODE_BYTES));
  for (const [index, byte] of bytes.entries()) bytes[index] = byte ^ (digest[index] ?? 0);
  const code = bytesToCrockford(bytes);
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/**
 * The encoded EncryptedPairingRequest, which hands the phone the client's keys and the new secret.
 * @param keys.iv for tests. Default: random.
 * @throws {Error} if the phone's key is of low order.
 */
export function sealPairingRequest(
  primary: PrimaryIdentity,
  name: CompanionName,
  keys: CeremonyKeys & {
    readonly noisePublic: Uint8Array;
    readonly identityPublic: Uint8Array;
    readonly iv?: Uint8Array;
  },
): Uint8Array {
  const request = proto.PairingRequest.encode({
    companionPublicKey: keys.noisePublic,
    companionIdentityKey: keys.identityPublic,
    advSecret: keys.advSecret,
  }).finish();
  const { iv = randomBytes(IV_BYTES) } = keys;
  const cipher = createCipheriv('aes-256-gcm', requestKey(primary, name, keys), iv);
  const encryptedPayload = Buffer.concat([cipher.update(request), cipher.final(), cipher.getAuthTag()]);
  return proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish();
}

/** The key that only the client and the phone can derive. */
function requestKey(
  { publicKey }: PrimaryIdentity,
  name: CompanionName,
  { ephemeral }: CeremonyKeys,
): Buffer {
  const secret = Curve.sharedKey(ephemeral.private, publicKey);
  if (secret.every((byte) => byte === 0)) throw new Error('the key of the phone has a low order');
  const salt = `Companion Pairing ${name.deviceType} with ref ${name.ref}`;
  return derive(secret, salt, 'Pairing Information Encryption Key');
}

function derive(secret: Uint8Array, salt: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES));
}
