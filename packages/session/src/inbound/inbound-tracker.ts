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
  /** Whether what the socket emits is told nobody any more. */
  readonly isMuted: () => boolean;
  /** The events of a message are handed out. */
  readonly onDone: (message: FinishedMessage) => void;
}

/** The message that Baileys works on: what is done before and after, and what is known of it meanwhile. */
export class InboundTracker {
  readonly #options: MessageAtWorkOptions;
  #waitedFor: string | undefined;
  #isReadable = false;
  #digest: string | undefined;
  /** Something of it was lost with the connection. */
  #isCut = false;
  /** The id of a message whose events were handed out before, and which Baileys works on for its keys. */
  #repeatedId: string | undefined;

  constructor(options: MessageAtWorkOptions) {
    this.#options = options;
  }

  /** The message's id, until its event is emitted. */
  get idWaitedFor(): string | undefined {
    return this.#waitedFor;
  }

  /** Whether the event of the last message was emitted, and with its content. */
  get wasRead(): boolean {
    return this.#waitedFor === undefined && this.#isReadable;
  }

  /**
   * Whether a message is done without Baileys: one that was finished before is only acknowledged. If it comes while
   * the session is open and may bring keys, Baileys decrypts it, and its event is left out.
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
   * What is emitted without a message that came again, and without what follows from it. To be called with all that is
   * emitted, after `see`. What other messages change is kept.
   */
  withoutRepeated(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    return this.#repeatedId === undefined ? events : withoutMessage(events, this.#repeatedId);
  }

  /** To be called with all that is emitted. */
  see(events: Partial<BaileysEventMap>): void {
    const message = events['messages.upsert']?.messages.find(({ key }) => key.id === this.#waitedFor);
    if (message === undefined) return;
    this.#waitedFor = undefined;
    this.#isReadable = message.messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT;
  }

  /** The connection has ended, and something that Baileys wants to store or to emit after that is lost. */
  cut(): void {
    this.#isCut = true;
  }

  after(stanza: BinaryNode): void {
    const { socket, decrypted, isMuted, onDone } = this.#options;
    if (socket.ev.isBuffering()) socket.ev.flush();
    const isEmitted = this.#waitedFor === undefined;
    // Baileys gives a message up when it cannot send the receipt.
    const isHandedOut = !isMuted() && !this.#isCut && (socket.ws.isOpen || isEmitted);
    const ended = decrypted.end(stanza, { isHandedOut });
    const isFinished = isHandedOut && isEmitted && this.#isReadable;
    const digest = isFinished && this.#repeatedId === undefined ? this.#digest : undefined;
    this.#repeatedId = undefined;
    if (ended === undefined) return;
    const { field } = ended;
    if (field !== undefined || digest !== undefined) onDone({ field, digest });
  }

  /** While Redis is out of reach nobody can tell, and the message waits; the connection ends if that takes long. */
  async #isRepeated(stanza: BinaryNode, digests: MessageDigests): Promise<boolean> {
    const { socket, repeated, logger } = this.#options;
    for (;;) {
      try {
        return await repeated.includes(stanza, socket.authState.creds.me, digests);
      } catch (error) {
        if (!socket.ws.isOpen) return false;
        if (!isRedisUnreachable(error)) {
          logger.error({ err: error, message: stanza.attrs.id }, 'whether a message came before is unknown');
          return false;
        }
        logger.warn(
          { err: error, retryMs: RETRY_MS },
          'whether a message came before cannot be told; it waits',
        );
        await delay(RETRY_MS);
      }
    }
  }
}
