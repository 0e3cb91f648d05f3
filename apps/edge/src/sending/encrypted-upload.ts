import { type MediaFile, WafleetError } from '@wafleet/contract';
import { SpoolFile, type SpoolOptions } from '@wafleet/media-tools';
import type { SessionRef } from '@wafleet/store';
import { encryptMedia, type MediaSecrets } from '../media/media-encryption.js';
import type { MediaHost, UploadAnswer } from '../media/media-host.js';
import { encryptedLength } from '../media/media-keys.js';
import type { MediaConnectionClient, UploadWay } from './media-connection-client.js';
import { UPLOAD_PATHS } from './media-kind.js';

/** A file that WhatsApp's media host has. */
export interface StoredMedia extends MediaSecrets {
  readonly url: string | undefined;
  readonly directPath: string;
}

/** How often an upload is tried, on one host after the other. */
const TRIES = 3;

/** Encrypts files, and uploads them to WhatsApp's media host by the way of a session. */
export class EncryptedUploads {
  readonly #connections: MediaConnectionClient;
  readonly #host: MediaHost;
  readonly #spool: SpoolOptions;

  constructor(options: { connections: MediaConnectionClient; host: MediaHost; spool: SpoolOptions }) {
    this.#connections = options.connections;
    this.#host = options.host;
    this.#spool = options.spool;
  }

  /** @throws {WafleetError} as `MediaConnectionClient.open`. */
  way(ref: SessionRef): Promise<UploadWay> {
    return this.#connections.open(ref);
  }

  /**
   * Uploads a file. The address of an upload has the hash of what is uploaded, so the encrypted file is on disk, in a
   * file without a name, before its first byte is sent.
   * @throws {WafleetError} UPLOAD_FAILED; what `MediaConnectionClient.open` throws. @throws {MediaToolError} spool-full.
   * The signal's reason.
   */
  async upload(
    ref: SessionRef,
    way: UploadWay,
    { kind, file }: { readonly kind: MediaFile['kind']; readonly file: SpoolFile },
    signal: AbortSignal,
  ): Promise<StoredMedia> {
    const spooled = await SpoolFile.open(this.#spool);
    try {
      const { encrypted, secrets } = encryptMedia(kind, file.read());
      await spooled.write(encrypted, { maxBytes: encryptedLength(file.bytes), signal });
      const known = secrets();
      const stored = await this.#send(ref, way, { kind, spooled, hash: known.encryptedSha256, signal });
      return { ...known, ...stored };
    } finally {
      await spooled.close();
    }
  }

  async #send(
    ref: SessionRef,
    first: UploadWay,
    { kind, spooled, hash, signal }: Sending,
  ): Promise<{ url: string | undefined; directPath: string }> {
    let way = first;
    let answer: UploadAnswer = 'unreachable';
    for (let turn = 0; turn < TRIES; turn += 1) {
      const host = way.hosts[turn % way.hosts.length] ?? '';
      answer = await this.#host.upload({
        ...{ host, path: UPLOAD_PATHS[kind], hash, auth: way.auth, proxy: way.proxy, signal },
        open: () => spooled.read(),
        length: spooled.bytes,
      });
      if (typeof answer === 'object') return answer;
      if (answer === 'refused') way = await this.#connections.open(ref, way.auth);
    }
    throw new WafleetError('UPLOAD_FAILED', `WhatsApp’s media server did not take the file: ${answer}.`);
  }
}

interface Sending {
  readonly kind: MediaFile['kind'];
  readonly spooled: SpoolFile;
  /** SHA-256 of the encrypted file. */
  readonly hash: Buffer;
  readonly signal: AbortSignal;
}
