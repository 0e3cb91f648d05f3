import { once } from 'node:events';
import { finished, pipeline, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type CommandReply, type MediaFile, WafleetError } from '@wafleet/contract';
import type { AddressRules } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import { ReplyBox, SealedValueError, type SessionRef, type SessionSettingsRecords } from '@wafleet/store';
import { FileSlots } from '../limits/file-slots.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import { MediaDecryption, tooLarge } from './media-decryption.js';
import type { EncryptedFile, MediaHost } from './media-host.js';
import { encryptedLength } from './media-keys.js';

/** How long downloads under way may continue when the edge stops. */
const FINISH_MS = 10_000;
/** How often a phone's answer is asked for, in addition to the time that its worker waits for it. */
const LOOK_MS = 750;
const RETRY_AFTER_MS = 5_000;
/** How long the media host may send nothing, or a client read or send nothing, ms. */
export const STALL_MS = 60_000;
/** When to try again what the session's worker cannot do yet: upgrades take minutes. */
const UPGRADE_MS = 30_000;

/** How a download ended. `cancelled`: by the client. `refused`: there is no file, or it is not available. */
export const DOWNLOAD_OUTCOMES = ['complete', 'cancelled', 'refused', 'failed'] as const;

export type DownloadOutcome = (typeof DOWNLOAD_OUTCOMES)[number];

export interface MediaOptions {
  /** How many files this edge downloads at a time. */
  readonly downloads: number;
  /** The media host, such as `https://mmg.whatsapp.net`. */
  readonly url: string;
  /** Larger files are not handed out. */
  readonly maxBytes: number;
  /** Which addresses the proxies of sessions may have. Default: public ones. */
  readonly proxyRules?: AddressRules;
  /** How long the media host may send nothing, or the client may read nothing, in ms. Default: 60 s. */
  readonly stallMs?: number;
  /** How long a request waits for a phone to upload a file again, in ms. Default: 15 s. */
  readonly phoneMs?: number;
}

/** A file that is on its way to a client. */
export interface MediaDownload {
  readonly file: MediaFile;
  /** Bytes of the file, if known for certain. The content fails if its length differs. */
  readonly length: number | undefined;
  /** The decrypted file. It ends only if it is the file that the message describes. */
  readonly content: Readable;
}

/** A file of a message of a session. */
interface MediaRef extends SessionRef {
  readonly messageId: string;
  /** Of the REST call, for logs. */
  readonly requestId: string;
}

/** Fetches the files of messages: asks the session's owner for what is known, then the media host, and decrypts. */
export class MediaDownloads {
  readonly #commands: SessionCommands;
  readonly #settings: Pick<SessionSettingsRecords, 'hasNoProxy'>;
  /** Opens the proxies of sessions, which workers seal for this edge. */
  readonly #replies = new ReplyBox();
  readonly #host: MediaHost;
  readonly #slots: FileSlots;
  readonly #maxBytes: number;
  readonly #stallMs: number;
  readonly #phoneMs: number;
  readonly #onEnded: (outcome: DownloadOutcome) => void;
  readonly #logger: Logger;
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;

  constructor(options: {
    commands: SessionCommands;
    settings: Pick<SessionSettingsRecords, 'hasNoProxy'>;
    host: MediaHost;
    media: Omit<MediaOptions, 'url' | 'proxyRules'>;
    onEnded: (outcome: DownloadOutcome) => void;
    logger: Logger;
  }) {
    const { maxBytes, stallMs = STALL_MS, phoneMs = 15_000 } = options.media;
    this.#commands = options.commands;
    this.#settings = options.settings;
    this.#host = options.host;
    this.#slots = new FileSlots('downloads', options.media.downloads);
    this.#maxBytes = maxBytes;
    this.#stallMs = stallMs;
    this.#phoneMs = phoneMs;
    this.#onEnded = options.onEnded;
    this.#logger = options.logger;
  }

  /** How many downloads are under way. */
  get count(): number {
    return this.#slots.taken;
  }

  /**
   * What a message states about its file.
   * @throws {WafleetError} MEDIA_NOT_FOUND, and what `SessionCommands.call` throws; UNAVAILABLE if no answer came.
   */
  async find(ref: MediaRef): Promise<MediaFile> {
    const { file } = await this.#find(ref);
    return file;
  }

  /**
   * Starts to fetch a file. If WhatsApp no longer has it, the phone is asked to upload it again. Resolves with the
   * first bytes; later the content may fail with the same errors.
   * @param client ends the download at any time. The download fails with its reason, if that is a WafleetError.
   * @throws {WafleetError} as `find`; MEDIA_GONE, MEDIA_TOO_LARGE, MEDIA_UNAVAILABLE, TOO_MANY_DOWNLOADS,
   * SESSION_NOT_OPEN, or the signal's reason.
   */
  async open(ref: MediaRef, client: AbortSignal): Promise<MediaDownload> {
    if (this.#isClosed) throw ended('The edge is stopping.');
    const giveBack = this.#slots.take();
    const abort = new AbortController();
    const cancel = () => {
      const { reason } = client;
      abort.abort(reason instanceof WafleetError ? reason : ended('The client went away.'));
    };
    this.#underWay.add(abort);
    client.addEventListener('abort', cancel);
    if (client.aborted) cancel();
    const end = (error: unknown) => {
      if (!this.#underWay.delete(abort)) return;
      client.removeEventListener('abort', cancel);
      giveBack();
      this.#note(ref, client.aborted, error);
    };
    try {
      return await this.#open(ref, abort, end);
    } catch (error) {
      end(error);
      throw error;
    }
  }

  /** Lets downloads finish for some seconds, and ends those that do not. Refuses new ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const giveUpAt = performance.now() + FINISH_MS;
    while (this.#underWay.size > 0 && performance.now() < giveUpAt) await delay(50);
    for (const abort of this.#underWay) abort.abort(ended('The edge is stopping.'));
  }

  async #open(
    ref: MediaRef,
    { signal }: AbortController,
    end: (error: unknown) => void,
  ): Promise<MediaDownload> {
    const { file, encrypted } = await this.#fetch(ref, signal);
    if (encrypted.length !== undefined && encrypted.length > encryptedLength(this.#maxBytes)) {
      encrypted.body.on('error', () => {}).destroy();
      throw tooLarge(this.#maxBytes);
    }
    // A length that does not match the host's is not promised to the client, which would wait for the rest.
    const isLengthRight = file.length !== undefined && encryptedLength(file.length) === encrypted.length;
    const length = isLengthRight ? file.length : undefined;
    const content: MediaDecryption = new MediaDecryption(file, {
      length,
      maxBytes: this.#maxBytes,
      onProgress: () => stalled.refresh(),
    });
    const stalled = setTimeout(
      () => content.destroy(new WafleetError('MEDIA_UNAVAILABLE', 'The download stood still.')),
      this.#stallMs,
    );
    const stop = () => content.destroy(signal.reason);
    signal.addEventListener('abort', stop);
    pipeline(encrypted.body, content, () => {});
    finished(content, (error) => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', stop);
      end(error);
    });
    // A failure before the first byte can still be answered as an error.
    await once(content, 'readable');
    return { file, length, content };
  }

  async #fetch(ref: MediaRef, signal: AbortSignal): Promise<{ file: MediaFile; encrypted: EncryptedFile }> {
    const found = await this.#find(ref);
    const { file } = found;
    const proxy = await this.#proxyOf(found, ref);
    signal.throwIfAborted();
    const way = { signal, proxy };
    const encrypted = await this.#host.fetch(file.directPath, way);
    if (encrypted !== 'gone') return { file, encrypted };
    const moved = await this.#refresh(ref, file.directPath, signal);
    const again = await this.#host.fetch(moved.directPath, way);
    if (again !== 'gone') return { file: moved, encrypted: again };
    throw new WafleetError('MEDIA_UNAVAILABLE', 'WhatsApp’s media server does not have the file yet.');
  }

  #find({ requestId, ...ref }: MediaRef): Promise<CommandReply<'find-media'>> {
    const replyKey = this.#replies.publicKey;
    return this.#commands.call({ kind: 'find-media', ...ref, replyKey }, { requestId }).catch(withoutEffect);
  }

  /**
   * The URL of the proxy that a file must be fetched through; undefined if the session certainly has none.
   * @throws {WafleetError} MEDIA_UNAVAILABLE; NOT_SUPPORTED if the worker's release may not know of proxies.
   */
  async #proxyOf(
    { proxy, isDirect }: CommandReply<'find-media'>,
    ref: MediaRef,
  ): Promise<string | undefined> {
    if (proxy !== undefined) return this.#proxyIn(proxy, ref);
    if (isDirect === true || (await this.#settings.hasNoProxy(ref))) return undefined;
    const message = 'The worker of the session runs an earlier release, which does not name its proxy.';
    throw new WafleetError('NOT_SUPPORTED', message, { retryAfterMs: UPGRADE_MS });
  }

  /** @throws {WafleetError} MEDIA_UNAVAILABLE: it cannot be opened, and the file is not fetched without it. */
  #proxyIn(sealed: string, { tenantId, sessionId }: MediaRef): string {
    try {
      return this.#replies.open(sealed, `proxy ${tenantId}/${sessionId}`);
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      throw new WafleetError('MEDIA_UNAVAILABLE', 'The session’s proxy cannot be read.');
    }
  }

  async #refresh(
    { requestId, ...ref }: MediaRef,
    triedPath: string,
    signal: AbortSignal,
  ): Promise<MediaFile> {
    const giveUpAt = performance.now() + this.#phoneMs;
    while (performance.now() < giveUpAt) {
      const answer = this.#commands.call({ kind: 'refresh-media', ...ref, triedPath }, { requestId });
      const { file } = await answer.catch(withoutEffect);
      if (file !== undefined) return file;
      await delay(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    const message = 'The phone has not uploaded the file again yet; it may be offline.';
    throw new WafleetError('UNAVAILABLE', message, { retryAfterMs: RETRY_AFTER_MS });
  }

  #note({ tenantId, sessionId }: MediaRef, isCancelled: boolean, error: unknown): void {
    const outcome = isCancelled ? 'cancelled' : outcomeOf(error);
    this.#onEnded(outcome);
    if (outcome !== 'failed') return;
    const about = { tenantId, sessionId, err: error };
    this.#logger.info(about, 'the file of a message could not be handed out');
  }
}

function outcomeOf(error: unknown): DownloadOutcome {
  if (!error) return 'complete';
  return error instanceof WafleetError && error.status < 500 ? 'refused' : 'failed';
}

function ended(why: string): WafleetError {
  return new WafleetError('UNAVAILABLE', why);
}

/** Looking something up changes nothing, so a call without an answer can be tried again. */
function withoutEffect(error: unknown): never {
  const isUnanswered = error instanceof WafleetError && error.code === 'OUTCOME_UNKNOWN';
  throw isUnanswered
    ? new WafleetError('UNAVAILABLE', 'The session’s worker did not answer in time.')
    : error;
}
