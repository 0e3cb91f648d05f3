import { hkdfSync } from 'node:crypto';
import type { MediaFile } from '@wafleet/contract';

/** What the keys of each kind of file are derived for (HKDF's info). */
const KEY_INFO: Readonly<Record<MediaFile['kind'], string>> = {
  image: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
  sticker: 'WhatsApp Image Keys',
};
const IV_BYTES = 16;
const KEY_BYTES = 32;

/** The length of the MAC that follows a file's ciphertext. */
export const MAC_BYTES = 10;
const BLOCK_BYTES = 16;

/** The keys that a file of a kind is encrypted and authenticated with. */
export interface MediaKeys {
  readonly iv: Buffer;
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
}

/** Derives the keys of a file from the key in its message (WhatsApp's encryption whitepaper). */
export function mediaKeysOf(kind: MediaFile['kind'], mediaKey: Uint8Array): MediaKeys {
  const size = IV_BYTES + 2 * KEY_BYTES;
  const derived = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), KEY_INFO[kind], size));
  return {
    iv: derived.subarray(0, IV_BYTES),
    cipherKey: derived.subarray(IV_BYTES, IV_BYTES + KEY_BYTES),
    macKey: derived.subarray(IV_BYTES + KEY_BYTES),
  };
}

/** Length on the media host of a file of this length: padded to whole blocks, plus its MAC. */
export function encryptedLength(length: number): number {
  return (Math.floor(length / BLOCK_BYTES) + 1) * BLOCK_BYTES + MAC_BYTES;
}
