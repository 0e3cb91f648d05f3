import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable } from '@wafleet/store';
import { type BaileysEventMap, type BinaryNode, proto, type WASocket } from '@whiskeysockets/baileys';
import type { FinishedMessage } from '../events/outbox.js';
import type { DecryptionJournal } from './decryption-journal.js';
import { acknowledgeAgain, type MessageDeduplicator, mayBringKeys } from './message-deduplicator.js';
import type { MessageDigests } from './message-digests.js';
import { withoutMessage } from './repeated-events.js';

const RETRY_MS = 1_000;

interface MessageAtWorkOptions {
  readonly socket: WASocket;
  readonly decrypted: DecryptionJournal;
  readonly repeated: MessageDeduplicator;
  readonly logger: Logger;
  /** Whether the events of the socket are no longer published. */
  readonly isMuted: () => boolean;
  /** The events of a message were handed out. */
  readonly onDone: (message: FinishedMessage) => void;
}

/** Tracks the message that Baileys is processing: does the work before and after it, and records what became of it. */
export class InboundTracker {
  readonly #options: MessageAtWorkOptions;
  #waitedFor: string | undefined;
  #isReadable = false;
  #digest: string | undefined;
  /** Whether some of its writes or events were lost with the connection. */
  #isCut = false;
  /** The id of a message whose events were handed out before, and which Baileys processes only for its keys. */
  #repeatedId: string | undefined;

  constructor(options: MessageAtWorkOptions) {
    this.#options = options;
  }

  /** The message's id, until its event is emitted. */
  get idWaitedFor(): string | undefined {
    return this.#waitedFor;
  }

  /** Whether the event of the last message was emitted, with its content. */
  get wasRead(): boolean {
    return this.#waitedFor === undefined && this.#isReadable;
  }

  /**
   * Whether a message is handled without Baileys: a message that was finished before is only acknowledged. If it
   * arrives while the session is open and may bring keys, Baileys decrypts it, and its event is dropped.
   */
  async isDone(stanza: BinaryNode): Promise<boolean> {
    const { socket, repeated, logger } = this.#options;
    this.#repeatedId = undefined;
    const digests = repeated.digestsOf(stanza, socket.authState.creds.me);
    this.#digest = digests?.own;
    if (digests === undefined || !(await this.#isRepeated(stanza, digests))) return false;
    logger.info({ message: stanza.attrs.id }, 'a message came again');
    if (stanza.attrs.offline === undefined && mayBringKeys(stanza)) {
      this.#repeatedId = stanza.attrs.id;
      return false;
    }
    await acknowledgeAgain(socket, stanza).catch((error: unknown) =>
      logger.warn({ err: error }, 'a message that came again could not be acknowledged'),
    );
    return true;
  }

  before(stanza: BinaryNode): void {
    this.#waitedFor = stanza.attrs.id;
    this.#isCut = false;
    this.#options.decrypted.begin(stanza);
  }

  /**
   * Returns the events without a message that came again, and without the events derived from it. Keeps the changes of
   * other messages. Call it with all emitted events, after `see`.
   */
  withoutRepeated(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    return this.#repeatedId === undefined ? events : withoutMessage(events, this.#repeatedId);
  }

  /** Call it with all emitted events. */
  see(events: Partial<BaileysEventMap>): void {
    const message = events['messages.upsert']?.messages.find(({ key }) => key.id === this.#waitedFor);
    if (message === undefined) return;
    this.#waitedFor = undefined;
    this.#isReadable = message.messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT;
  }

  /** The connection has ended. What Baileys stores or emits after that is lost. */
  cut(): void {
    this.#isCut = true;
  }

  after(stanza: BinaryNode): void {
    const { socket, decrypted, isMuted, onDone } = this.#options;
    if (socket.ev.isBuffering()) socket.ev.flush();
    const isEmitted = this.#waitedFor === undefined;
    // Baileys gives up a message if it cannot send the receipt.
    const isHandedOut = !isMuted() && !this.#isCut && (socket.ws.isOpen || isEmitted);
    const ended = decrypted.end(stanza, { isHandedOut });
    const isFinished = isHandedOut && isEmitted && this.#isReadable;
    const digest = isFinished && this.#repeatedId === undefined ? this.#digest : undefined;
    this.#repeatedId = undefined;
    if (ended === undefined) return;
    const { field } = ended;
    if (field !== undefined || digest !== undefined) onDone({ field, digest });
  }

  /**
   * Whether the message was handed out before. While Redis is unreachable this is unknown, and the message waits; the
   * connection ends if that takes long.
   */
  async #isRepeated(stanza: BinaryNode, digests: MessageDigests): Promise<boolean> {
    const { socket, repeated, logger } = this.#options;
    for (;;) {
      try {
        return await repeated.includes(stanza, socket.authState.creds.me, digests);
      } catch (error) {
        if (!socket.ws.isOpen) return false;
        if (!isRedisUnreachable(error)) {
          logger.error(
            { err: error, message: stanza.attrs.id },
            'could not check whether a message came before; handling it as new',
          );
          return false;
        }
        logger.warn(
          { err: error, retryMs: RETRY_MS },
          'could not check whether a message came before; trying again',
        );
        await delay(RETRY_MS);
      }
    }
  }
}
