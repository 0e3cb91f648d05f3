import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';

/**
 * A companion's cryptography of a passkey ceremony, made with node:crypto alone, so that it shares no mistake with the
 * simulator's side.
 */

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const CROCKFORD = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';

const privateKey = (raw: Buffer) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });

/** The public X25519 key of a private one, both raw. */
export function publicKeyOf(rawPrivateKey: Buffer): Buffer {
  return createPublicKey(privateKey(rawPrivateKey))
    .export({ format: 'der', type: 'spki' })
    .subarray(SPKI_X25519.length);
}

export function proofOf(advSecret: Buffer, payload: Uint8Array): Buffer {
  const key = hkdfSync('sha256', advSecret, Buffer.alloc(32), 'shortcake-passkey-handoff-v1', 32);
  return createHmac('sha256', Buffer.from(key)).update(payload).digest();
}

export function commitmentOf(identity: Uint8Array, nonce: Buffer): Buffer {
  return createHash('sha256')
    .update(Buffer.concat([identity, nonce]))
    .digest();
}

/** The code as `XXXX-XXXX`. */
export function codeOf(primaryNonce: Buffer, nonce: Buffer, primaryPublicKey: Buffer): string {
  const digest = createHash('sha256')
    .update(Buffer.concat([nonce, primaryPublicKey]))
    .digest();
  let bits = 0n;
  for (let index = 0; index < 5; index += 1) {
    bits = (bits << 8n) | BigInt(primaryNonce.readUInt8(index) ^ digest.readUInt8(index));
  }
  const characters = Array.from(
    { length: 8 },
    (_, index) => CROCKFORD[Number((bits >> BigInt(35 - 5 * index)) & 31n)],
  );
  return `${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`;
}

export interface SealingParties {
  readonly ephemeralPrivateKey: Buffer;
  readonly primaryPublicKey: Buffer;
  readonly deviceType: number;
  readonly ref: string;
}

export function sealingKey({
  ephemeralPrivateKey,
  primaryPublicKey,
  deviceType,
  ref,
}: SealingParties): Buffer {
  const secret = diffieHellman({
    privateKey: privateKey(ephemeralPrivateKey),
    publicKey: createPublicKey({
      key: Buffer.concat([SPKI_X25519, primaryPublicKey]),
      format: 'der',
      type: 'spki',
    }),
  });
  const salt = `Companion Pairing ${deviceType} with ref ${ref}`;
  return Buffer.from(hkdfSync('sha256', secret, salt, 'Pairing Information Encryption Key', 32));
}

/** Ciphertext ‖ tag. */
export function sealed(key: Buffer, iv: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
