import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { MediaFile } from '@wafleet/contract';
import { MAC_BYTES, mediaKeysOf } from './media-keys.js';

const MEDIA_KEY_BYTES = 32;

/** What a message has to say of a file that was encrypted. */
export interface MediaSecrets {
  readonly mediaKey: Buffer;
  /** SHA-256 of the file, and of what it became. */
  readonly sha256: Buffer;
  readonly encryptedSha256: Buffer;
  /** Bytes of the file. */
  readonly length: number;
}

/**
 * Encrypts a file as it is read: AES-256-CBC, followed by the first ten bytes of HMAC-SHA256 over the iv and the
 * ciphertext. Each has a key of its own.
 * @returns the encrypted file, and what is known of it once all of it was read.
 */
export function encryptMedia(
  kind: MediaFile['kind'],
  plain: AsyncIterable<Buffer>,
): { readonly encrypted: Readable; readonly secrets: () => MediaSecrets } {
  const mediaKey = randomBytes(MEDIA_KEY_BYTES);
  const { iv, cipherKey, macKey } = mediaKeysOf(kind, mediaKey);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const mac = createHmac('sha256', macKey).update(iv);
  const plainHash = createHash('sha256');
  const encryptedHash = createHash('sha256');
  let length = 0;

  async function* encrypt(): AsyncGenerator<Buffer> {
    for await (const chunk of plain) {
      length += chunk.length;
      plainHash.update(chunk);
      const part = cipher.update(chunk);
      mac.update(part);
      encryptedHash.update(part);
      if (part.length > 0) yield part;
    }
    const last = cipher.final();
    const tail = Buffer.concat([last, mac.update(last).digest().subarray(0, MAC_BYTES)]);
    encryptedHash.update(tail);
    yield tail;
  }
  return {
    encrypted: Readable.from(encrypt(), { objectMode: false }),
    secrets: () => ({
      mediaKey,
      sha256: plainHash.digest(),
      encryptedSha256: encryptedHash.digest(),
      length,
    }),
  };
}
