import { type MediaFile, WafleetError } from '@wafleet/contract';
import type { ReceivedFile } from '@wafleet/store';
import {
  type BaileysEventMap,
  decryptMediaRetryData,
  encryptMediaRetryRequest,
  getStatusCodeForMediaRetry,
  proto,
  type WASocket,
} from '@whiskeysockets/baileys';

type Answer = BaileysEventMap['messages.media-update'][number];

const { ResultType } = proto.MediaRetryNotification;

/**
 * The codes that Baileys gives to the results with which a phone reports that it does not have the file or cannot read
 * it.
 */
const GONE: ReadonlySet<number | undefined> = new Set(
  [ResultType.NOT_FOUND, ResultType.DECRYPTION_ERROR].map((result) => getStatusCodeForMediaRetry(result)),
);

function unavailable(why: string): WafleetError {
  return new WafleetError('UNAVAILABLE', why);
}

function gone(): WafleetError {
  return new WafleetError('MEDIA_GONE', 'The phone does not have the file any more.');
}

/**
 * Asks the phone to upload a file again that WhatsApp's media host no longer has (a receipt of type `server-error`,
 * which a notification `mediaretry` answers). Baileys' own `updateMediaMessage` waits without a time limit, and emits
 * an event for a message made of the file alone.
 */
export class ReuploadRequest {
  /**
   * The new location of the file, once the phone has uploaded it again and the location is stored.
   * Rejects with MEDIA_GONE, UNAVAILABLE, or what storing rejects with; never unhandled.
   */
  readonly result: Promise<MediaFile>;
  readonly #received: ReceivedFile;
  readonly #store: (received: ReceivedFile) => Promise<void>;
  #resolve: (file: MediaFile) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(received: ReceivedFile, store: (received: ReceivedFile) => Promise<void>) {
    this.#received = received;
    this.#store = store;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.result.catch(() => {});
  }

  /** Whether it is for the file that was at this path. */
  isFor(directPath: string): boolean {
    return this.#received.file.directPath === directPath;
  }

  /** @param me the account's own id. */
  send(socket: WASocket, me: string): void {
    const { key, file } = this.#received;
    const message = { ...key, participant: key.participant ?? null };
    socket
      .sendNode(encryptMediaRetryRequest(message, Buffer.from(file.mediaKey, 'base64'), me))
      .catch(() => this.#reject(unavailable('The phone could not be asked for the file.')));
  }

  /** Handles the phone's answer. Only an answer that is sealed with the file's own key can change the location. */
  answer({ media, error }: Answer): void {
    if (error !== undefined || media === undefined) {
      const isGone = GONE.has(error?.output.statusCode);
      this.#reject(isGone ? gone() : unavailable('The phone could not upload the file again.'));
      return;
    }
    this.#take(media).then(this.#resolve, this.#reject);
  }

  /** The phone has not answered, or the session ends. */
  giveUp(): void {
    this.#reject(unavailable('The phone did not answer; it may be offline.'));
  }

  async #take(media: NonNullable<Answer['media']>): Promise<MediaFile> {
    const { key, file } = this.#received;
    const { result, directPath } = this.#open(media);
    if (result === ResultType.NOT_FOUND || result === ResultType.DECRYPTION_ERROR) throw gone();
    if (result !== ResultType.SUCCESS || !directPath) {
      throw unavailable('The phone could not upload the file again.');
    }
    const moved = { ...file, directPath };
    await this.#store({ key, file: moved });
    return moved;
  }

  #open(media: NonNullable<Answer['media']>): proto.IMediaRetryNotification {
    const { key, file } = this.#received;
    try {
      return decryptMediaRetryData(media, Buffer.from(file.mediaKey, 'base64'), key.id);
    } catch {
      throw unavailable('The phone’s answer could not be read.');
    }
  }
}
