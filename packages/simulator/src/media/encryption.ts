import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { getMediaKeys, type MediaType } from '@whiskeysockets/baileys';

const MAC_LENGTH = 10;

/** A file as WhatsApp's media servers store it, and what a message must contain so that recipients can open it. */
export interface EncryptedMedia {
  /** AES-256-CBC ciphertext ‖ first 10 bytes of HMAC-SHA256(iv ‖ ciphertext). */
  readonly blob: Buffer;
  readonly mediaKey: Buffer;
  readonly fileSha256: Buffer;
  readonly fileEncSha256: Buffer;
  readonly fileLength: number;
}

/** A downloaded file does not match its message. */
export class MediaIntegrityError extends Error {
  override readonly name = 'MediaIntegrityError';
}

/** Encrypts a file under a new media key, whose use is bound to the kind of media. */
export async function encryptMedia(plain: Buffer, type: MediaType): Promise<EncryptedMedia> {
  const mediaKey = randomBytes(32);
  const { cipherKey, iv, macKey } = await expandedKeys(mediaKey, type);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const blob = Buffer.concat([ciphertext, mac(ciphertext, iv, macKey)]);
  return {
    blob,
    mediaKey,
    fileSha256: sha256(plain),
    fileEncSha256: sha256(blob),
    fileLength: plain.length,
  };
}

/** @throws MediaIntegrityError if the MAC does not verify: another key, another kind of media, or a damaged file. */
export async function decryptMedia(blob: Buffer, mediaKey: Uint8Array, type: MediaType): Promise<Buffer> {
  const { cipherKey, iv, macKey } = await expandedKeys(mediaKey, type);
  const ciphertext = blob.subarray(0, -MAC_LENGTH);
  if (!mac(ciphertext, iv, macKey).equals(blob.subarray(-MAC_LENGTH))) {
    throw new MediaIntegrityError(`The MAC of a ${type} of ${blob.length} bytes does not hold`);
  }
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

async function expandedKeys(mediaKey: Uint8Array, type: MediaType) {
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, type);
  if (!macKey) throw new MediaIntegrityError(`No MAC key for ${type}`);
  return { cipherKey, iv, macKey };
}

function mac(ciphertext: Buffer, iv: Uint8Array, macKey: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_LENGTH);
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
