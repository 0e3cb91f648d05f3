import { type CommandFields, type CommandReply, type MediaFile, WafleetError } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import {
  type Fence,
  isRedisUnreachable,
  ProxyUnreadableError,
  type ReceivedFile,
  type ReceivedMedia,
  SealedValueError,
  sealReply,
} from '@wafleet/store';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { OpenSocket } from '../connection/open-socket.js';
import { receivedFilesIn } from '../mapping/received-files.js';
import { roughLength } from '../outbox/event-size.js';
import type { Outbox } from '../outbox/outbox.js';
import type { SettingsInForce } from '../settings/settings-in-force.js';
import { MediaConnections } from './media-connections.js';
import { ReuploadRequest } from './reupload-request.js';

/** How long a command waits for a phone. Short, since a worker carries out a bounded number of commands at a time. */
const WAIT_MS = 250;
/** How long a phone that is asleep may take. */
const PHONE_MS = 60_000;
/** How long an answer is kept for further requests for the same file. */
const REMEMBER_MS = 10_000;
const MAX_UNANSWERED = 50;

/** The files of a session's messages: stores what messages contain about them, and asks the phone for expired files. */
export class SessionMedia {
  readonly #fence: Fence;
  readonly #receivedMedia: ReceivedMedia;
  readonly #outbox: Outbox;
  readonly #openSocket: OpenSocket;
  readonly #inForce: Pick<SettingsInForce, 'readProxy'>;
  readonly #logger: Logger;
  readonly #connections = new MediaConnections();
  readonly #requests = new Map<string, ReuploadRequest>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #unanswered = 0;

  constructor(options: {
    fence: Fence;
    receivedMedia: ReceivedMedia;
    outbox: Outbox;
    openSocket: OpenSocket;
    inForce: Pick<SettingsInForce, 'readProxy'>;
    logger: Logger;
  }) {
    this.#fence = options.fence;
    this.#receivedMedia = options.receivedMedia;
    this.#outbox = options.outbox;
    this.#openSocket = options.openSocket;
    this.#inForce = options.inForce;
    this.#logger = options.logger;
  }

  /**
   * Stores what Baileys' events contain about files. It is stored before the events that are added to the outbox
   * afterwards are published, so a client that reads a message finds its file. A file whose data cannot be read holds
   * no event back.
   */
  keep(events: Partial<BaileysEventMap>): void {
    try {
      const files = receivedFilesIn(events);
      const put = () => this.#receivedMedia.put(this.#fence, files);
      if (files.length > 0) this.#outbox.run(put, roughLength(files));
    } catch (error) {
      this.#logger.error({ err: error }, 'the files of messages could not be kept');
    }
    for (const answer of events['messages.media-update'] ?? []) {
      this.#requests.get(answer.key.id ?? '')?.answer(answer);
    }
  }

  /**
   * What a message contains about its file, whether the session is open or not, and the URL of the session's proxy,
   * sealed for the edge that has asked, or that it has none.
   * @throws {WafleetError} MEDIA_NOT_FOUND; MEDIA_UNAVAILABLE if the proxy cannot be read, or there is no key to seal it
   * for, as in the question of an edge of an earlier release, which would not use the proxy.
   */
  async find(messageId: string, replyKey?: string): Promise<CommandReply<'find-media'>> {
    const { file } = await this.#find(messageId);
    const url = await this.#readProxy();
    return url === undefined
      ? { file, isDirect: true }
      : { file, proxy: this.#sealed(url, replyKey, 'proxy') };
  }

  /**
   * Where the session may upload files, with the token for that, and the URL of its proxy: sealed for the edge that has
   * asked.
   * @throws {WafleetError} SESSION_NOT_OPEN; WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp does not answer;
   * MEDIA_UNAVAILABLE if the proxy cannot be read, or there is no key to seal for.
   */
  async openConnection({
    replyKey,
    stale,
  }: CommandFields<'open-media-connection'>): Promise<CommandReply<'open-media-connection'>> {
    const { socket } = this.#openSocket.require();
    const url = await this.#readProxy();
    const connection = await this.#connections.of(socket, stale);
    return {
      connection: this.#sealed(JSON.stringify(connection), replyKey, 'media connection'),
      ...(url === undefined ? { isDirect: true } : { proxy: this.#sealed(url, replyKey, 'proxy') }),
    };
  }

  /**
   * The location of a file that has left `triedPath`: it has moved, or the phone uploads it again. Returns no
   * file while the phone has not answered; ask again then. All who ask for a file share one request.
   * @throws {WafleetError} MEDIA_NOT_FOUND; SESSION_NOT_OPEN; MEDIA_GONE; UNAVAILABLE if the phone does not answer
   * within a minute.
   */
  async refresh(messageId: string, triedPath: string): Promise<{ file?: MediaFile }> {
    const received = await this.#find(messageId);
    if (received.file.directPath !== triedPath) return { file: received.file };
    const asked = this.#requests.get(messageId);
    const request = asked?.isFor(triedPath) ? asked : this.#ask(received);
    return (await withTimeout(request.result, WAIT_MS)) ? { file: await request.result } : {};
  }

  /** Gives up all requests to the phone. */
  close(): void {
    for (const request of this.#requests.values()) request.giveUp();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#requests.clear();
  }

  async #readProxy(): Promise<string | undefined> {
    try {
      return await this.#inForce.readProxy();
    } catch (error) {
      if (!(error instanceof ProxyUnreadableError)) throw error;
      throw new WafleetError('MEDIA_UNAVAILABLE', 'The session’s proxy cannot be read.');
    }
  }

  #sealed(plain: string, replyKey: string | undefined, what: string): string {
    const { tenantId, sessionId } = this.#fence;
    try {
      return sealReply(replyKey ?? '', plain, `${what} ${tenantId}/${sessionId}`);
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      throw new WafleetError('MEDIA_UNAVAILABLE', 'Nothing can be sealed for this edge.');
    }
  }

  async #find(messageId: string): Promise<ReceivedFile> {
    const received = await this.#receivedMedia.get(this.#fence, messageId).catch((error: unknown) => {
      if (isRedisUnreachable(error)) throw error;
      // Malformed, or sealed with a key that was taken out of use since.
      this.#logger.warn({ err: error, messageId }, 'the file of a message cannot be found');
    });
    if (received !== undefined) return received;
    throw new WafleetError('MEDIA_NOT_FOUND', 'The session has no recent message of this id with a file.');
  }

  #ask(received: ReceivedFile): ReuploadRequest {
    const { socket, me } = this.#openSocket.require();
    if (this.#unanswered >= MAX_UNANSWERED) {
      throw new WafleetError('UNAVAILABLE', 'The phone is asked for many files already.');
    }
    const { id } = received.key;
    const request = new ReuploadRequest(received, (file) => this.#store(file));
    this.#requests.set(id, request);
    const patience = this.#later(PHONE_MS, () => request.giveUp());
    this.#unanswered += 1;
    const remember = () => {
      this.#unanswered -= 1;
      this.#cancel(patience);
      this.#later(REMEMBER_MS, () => {
        if (this.#requests.get(id) === request) this.#requests.delete(id);
      });
    };
    request.result.then(remember, remember);
    request.send(socket, me);
    return request;
  }

  /** Never resolves when the session turns out to be another worker's. */
  #store(file: ReceivedFile): Promise<void> {
    return new Promise((resolve) => {
      this.#outbox.run(async () => {
        await this.#receivedMedia.put(this.#fence, [file]);
        resolve();
      });
    });
  }

  #later(milliseconds: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, milliseconds).unref();
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
