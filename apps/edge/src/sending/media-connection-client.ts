import { createHash } from 'node:crypto';
import { type MediaConnection, mediaConnectionSchema, WafleetError } from '@wafleet/contract';
import { ReplyBox, SealedValueError, type SessionRef } from '@wafleet/store';
import type { SessionCommands } from '../sessions/session-commands.js';

/** How a session may upload. */
export interface UploadWay extends MediaConnection {
  /** The URL of the session's proxy; undefined if it has none. */
  readonly proxy: string | undefined;
}

/** Asks the workers of sessions for the way to WhatsApp's media hosts. */
export class MediaConnectionClient {
  readonly #commands: Pick<SessionCommands, 'call'>;
  readonly #replies = new ReplyBox();

  constructor(commands: Pick<SessionCommands, 'call'>) {
    this.#commands = commands;
  }

  /**
   * @param refused a token that a host has refused: another one is asked for.
   * @throws {WafleetError} what `SessionCommands.call` throws; UNAVAILABLE if no answer came; UPLOAD_FAILED if the answer
   * cannot be read.
   */
  async open({ tenantId, sessionId }: SessionRef, refused?: string): Promise<UploadWay> {
    const session = `${tenantId}/${sessionId}`;
    const stale = refused === undefined ? {} : { stale: digestOf(refused) };
    const { connection, proxy } = await this.#commands
      .call({
        kind: 'open-media-connection',
        ...{ tenantId, sessionId },
        replyKey: this.#replies.publicKey,
        ...stale,
      })
      .catch(withoutEffect);
    const opened: unknown = JSON.parse(this.#open(connection, `media connection ${session}`));
    const { data } = mediaConnectionSchema.safeParse(opened);
    if (data === undefined) throw notReadable();
    return { ...data, proxy: proxy === undefined ? undefined : this.#open(proxy, `proxy ${session}`) };
  }

  #open(sealed: string, place: string): string {
    try {
      return this.#replies.open(sealed, place);
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      throw notReadable();
    }
  }
}

/** As workers name a token. */
function digestOf(auth: string): string {
  return createHash('sha256').update(auth).digest('base64url');
}

function notReadable(): WafleetError {
  return new WafleetError('UPLOAD_FAILED', 'The session’s way to WhatsApp’s media server cannot be read.');
}

/** To ask changes nothing, so a call without an answer can be tried again. */
function withoutEffect(error: unknown): never {
  const isUnanswered = error instanceof WafleetError && error.code === 'OUTCOME_UNKNOWN';
  throw isUnanswered
    ? new WafleetError('UNAVAILABLE', 'The session’s worker did not answer in time. Nothing was sent.')
    : error;
}
