import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import { Cipher, type ScopedCipher, SealedValueError } from './cipher.js';

/**
 * Opens secrets in the replies to this process's commands. A reply passes Redis, where everyone who may read can see it.
 * So a command carries this public key, the worker seals for it (`sealReply`), and only the process that has asked can
 * open the reply. The private key is never stored.
 */
export class ReplyBox {
  readonly #keys = generateKeyPairSync('x25519');
  /** For the command. */
  readonly publicKey = textOf(this.#keys.publicKey);

  /**
   * @param place what the secret is. It opens for nothing else.
   * @throws {SealedValueError} if it was sealed for another process or for something else, or is damaged.
   */
  open(sealed: string, place: string): string {
    const [sender = '', value = ''] = sealed.split('.');
    const cipher = cipherOf(this.#keys.privateKey, keyOf(sender), [sender, this.publicKey]);
    return cipher.open(Buffer.from(value, 'base64url'), place).toString();
  }
}

/**
 * Seals a secret for the process with this public key. Each call uses a key of its own.
 * @throws {SealedValueError} if it is not a public key.
 */
export function sealReply(publicKey: string, plain: string, place: string): string {
  const keys = generateKeyPairSync('x25519');
  const sender = textOf(keys.publicKey);
  const cipher = cipherOf(keys.privateKey, keyOf(publicKey), [sender, publicKey]);
  return `${sender}.${cipher.seal(Buffer.from(plain), place).toString('base64url')}`;
}

/** Both sides derive the same key from their own private key and the other's public one. */
function cipherOf(
  privateKey: KeyObject,
  publicKey: KeyObject,
  between: readonly [string, string],
): ScopedCipher {
  let secret: Buffer;
  try {
    secret = diffieHellman({ privateKey, publicKey });
  } catch (error) {
    throw new SealedValueError('not a key of a reply', { cause: error });
  }
  const key = hkdfSync('sha256', secret, between.join('.'), 'wafleet reply', 32);
  return Cipher.fromHexKeys(Buffer.from(key).toString('hex')).scope('reply');
}

function textOf(publicKey: KeyObject): string {
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64url');
}

function keyOf(text: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'spki' });
  } catch (error) {
    throw new SealedValueError('not a key of a reply', { cause: error });
  }
}
