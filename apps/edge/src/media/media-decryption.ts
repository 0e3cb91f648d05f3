import {
  createDecipheriv,
  createHash,
  createHmac,
  type Decipher,
  type Hash,
  type Hmac,
  timingSafeEqual,
} from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { type MediaFile, WafleetError } from '@wafleet/contract';
import { MAC_BYTES, mediaKeysOf } from './media-keys.js';

function mismatch(what: string): WafleetError {
  return new WafleetError(
    'MEDIA_UNAVAILABLE',
    `The file is not the one that the message describes: ${what}.`,
  );
}

/**
 * Decrypts a file as it passes: AES-256-CBC, followed by the first ten bytes of HMAC-SHA256 over the iv and the
 * ciphertext. The keys derive from the media key and the kind of file (WhatsApp's encryption whitepaper, "Media and
 * Other Attachments"). The MAC comes last, so bytes leave unverified. The last ones do not: the stream ends only if the
 * MAC, the hashes and the expected length are right, and otherwise fails before it has given everything. A file of one
 * chunk then gives nothing at all.
 */
export class MediaDecryption extends Transform {
  readonly #file: MediaFile;
  readonly #length: number | undefined;
  readonly #maxBytes: number;
  readonly #onProgress: () => void;
  readonly #decipher: Decipher;
  readonly #mac: Hmac;
  readonly #plainHash: Hash | undefined;
  readonly #encryptedHash: Hash | undefined;
  /** The last bytes that arrived, which may be the MAC. */
  #tail: Buffer = Buffer.alloc(0);
  /** Decrypted, but not passed on yet. */
  #held: Buffer = Buffer.alloc(0);
  #bytes = 0;

  /**
   * @param options.length the length that the file must have, if it was promised to a client.
   * @param options.maxBytes larger files fail with MEDIA_TOO_LARGE.
   * @param options.onProgress called for each chunk.
   */
  constructor(
    file: MediaFile,
    options: { length?: number | undefined; maxBytes: number; onProgress?: () => void },
  ) {
    super();
    const { iv, cipherKey, macKey } = mediaKeysOf(file.kind, Buffer.from(file.mediaKey, 'base64'));
    this.#file = file;
    this.#length = options.length;
    this.#maxBytes = options.maxBytes;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
    this.#mac = createHmac('sha256', macKey).update(iv);
    this.#plainHash = file.sha256 === undefined ? undefined : createHash('sha256');
    this.#encryptedHash = file.encryptedSha256 === undefined ? undefined : createHash('sha256');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#onProgress();
    this.#encryptedHash?.update(chunk);
    const all = Buffer.concat([this.#tail, chunk]);
    const end = Math.max(0, all.length - MAC_BYTES);
    this.#tail = Buffer.from(all.subarray(end));
    const ciphertext = all.subarray(0, end);
    this.#mac.update(ciphertext);
    try {
      const plain = this.#count(this.#decipher.update(ciphertext));
      if (this.#held.length > 0) this.push(this.#held);
      this.#held = plain;
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#verifyMac();
      const last = this.#count(this.#finish());
      this.#verifyHashes();
      if (this.#length !== undefined && this.#bytes !== this.#length) throw mismatch('its length');
      done(null, Buffer.concat([this.#held, last]));
    } catch (error) {
      done(asError(error));
    }
  }

  #count(plain: Buffer): Buffer {
    this.#bytes += plain.length;
    this.#plainHash?.update(plain);
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (this.#length !== undefined && this.#bytes > this.#length) throw mismatch('its length');
    return plain;
  }

  #verifyMac(): void {
    const mac = this.#mac.digest().subarray(0, MAC_BYTES);
    if (this.#tail.length !== MAC_BYTES || !timingSafeEqual(mac, this.#tail)) throw mismatch('its MAC');
  }

  #finish(): Buffer {
    try {
      return this.#decipher.final();
    } catch {
      throw mismatch('its padding');
    }
  }

  #verifyHashes(): void {
    const { sha256, encryptedSha256 } = this.#file;
    if (this.#encryptedHash?.digest('base64') !== encryptedSha256) throw mismatch('its hash');
    if (this.#plainHash?.digest('base64') !== sha256) throw mismatch('its hash');
  }
}

export function tooLarge(limit: number): WafleetError {
  return new WafleetError('MEDIA_TOO_LARGE', `Files of more than ${limit} bytes are not handed out.`, {
    limit,
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
