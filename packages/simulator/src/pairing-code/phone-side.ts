import { randomBytes } from 'node:crypto';
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  Curve,
  derivePairingCodeKey,
  hkdf,
  type KeyPair,
} from '@whiskeysockets/baileys';

const SALT_LENGTH = 32;
const CTR_IV_LENGTH = 16;
const GCM_IV_LENGTH = 12;
const KEY_LENGTH = 32;

/** The phone could not open the companion's key bundle: the typed code is not the one that the companion shows. */
export class WrongPairingCodeError extends Error {
  override readonly name = 'WrongPairingCodeError';

  constructor() {
    super('The pairing code does not match the one that the companion shows');
  }
}

/** What the phone learns once both sides have proven that they know the same code. */
export interface PairingCodeResult {
  /** Identity key of the companion, 32 bytes. */
  readonly companionIdentityKey: Buffer;
  /** Key of the HMAC in `pair-success`, 32 bytes; the companion has derived the same. */
  readonly advSecret: Buffer;
}

/** A phone that has answered `companion_hello` and waits for `companion_finish`. */
export interface PrimaryHello {
  /** `link_code_pairing_wrapped_primary_ephemeral_pub`: salt (32) ‖ iv (16) ‖ ciphertext (32). */
  readonly wrappedPrimaryEphemeral: Buffer;
  /**
   * Opens `link_code_pairing_wrapped_key_bundle` of `companion_finish`.
   * @throws WrongPairingCodeError when the two sides used different codes.
   */
  finish(wrappedKeyBundle: Uint8Array): PairingCodeResult;
}

/** A code as people type it (lower case, a dash or blanks in the middle) in the form that the key derives from. */
export function normalisePairingCode(code: string): string {
  return code.replace(/[\s-]/g, '').toUpperCase();
}

/**
 * The phone's half of WhatsApp's pairing by code, step `primary_hello`.
 *
 * Each side hides an ephemeral X25519 key under a key that PBKDF2-SHA256 (131,072 iterations) makes of the code,
 * by AES-256-CTR. A wrong code therefore yields a wrong public key, not an error. It is detected when the phone opens
 * the companion's bundle, which is sealed by AES-256-GCM under the agreed secret.
 *
 * @param wrappedCompanionEphemeral `link_code_pairing_wrapped_companion_ephemeral_pub`, 80 bytes.
 * @param code what the person typed on the phone, eight characters of Crockford's base 32.
 */
export async function answerCompanionHello(
  wrappedCompanionEphemeral: Uint8Array,
  code: string,
  identityKey: KeyPair,
): Promise<PrimaryHello> {
  const typed = normalisePairingCode(code);
  const hello = Buffer.from(wrappedCompanionEphemeral);
  const helloIv = hello.subarray(SALT_LENGTH, SALT_LENGTH + CTR_IV_LENGTH);
  const helloKey = await derivePairingCodeKey(typed, hello.subarray(0, SALT_LENGTH));
  const companionEphemeral = aesDecryptCTR(hello.subarray(SALT_LENGTH + CTR_IV_LENGTH), helloKey, helloIv);

  const ephemeral = Curve.generateKeyPair();
  const salt = randomBytes(SALT_LENGTH);
  const iv = randomBytes(CTR_IV_LENGTH);
  const wrapped = aesEncryptCTR(ephemeral.public, await derivePairingCodeKey(typed, salt), iv);
  const ephemeralSecret = Curve.sharedKey(ephemeral.private, companionEphemeral);

  return {
    wrappedPrimaryEphemeral: Buffer.concat([salt, iv, wrapped]),
    finish: (bundle) => openKeyBundle(Buffer.from(bundle), ephemeralSecret, identityKey),
  };
}

function openKeyBundle(bundle: Buffer, ephemeralSecret: Buffer, identityKey: KeyPair): PairingCodeResult {
  const salt = bundle.subarray(0, SALT_LENGTH);
  const iv = bundle.subarray(SALT_LENGTH, SALT_LENGTH + GCM_IV_LENGTH);
  const key = hkdf(ephemeralSecret, KEY_LENGTH, {
    salt,
    info: 'link_code_pairing_key_bundle_encryption_key',
  });
  const plain = decryptBundle(bundle.subarray(SALT_LENGTH + GCM_IV_LENGTH), key, iv);
  const companionIdentityKey = plain.subarray(0, KEY_LENGTH);
  const primaryIdentityKey = plain.subarray(KEY_LENGTH, 2 * KEY_LENGTH);
  const random = plain.subarray(2 * KEY_LENGTH, 3 * KEY_LENGTH);
  if (!primaryIdentityKey.equals(identityKey.public)) {
    throw new WrongPairingCodeError();
  }
  const identitySecret = Curve.sharedKey(identityKey.private, companionIdentityKey);
  const advSecret = hkdf(Buffer.concat([ephemeralSecret, identitySecret, random]), KEY_LENGTH, {
    info: 'adv_secret',
  });
  return { companionIdentityKey, advSecret: Buffer.from(advSecret) };
}

function decryptBundle(ciphertext: Buffer, key: Uint8Array, iv: Buffer): Buffer {
  try {
    return aesDecryptGCM(ciphertext, key, iv, Buffer.alloc(0));
  } catch {
    throw new WrongPairingCodeError();
  }
}
