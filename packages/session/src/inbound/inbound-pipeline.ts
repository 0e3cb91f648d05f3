import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable } from '@wafleet/store';
import { type BaileysEventMap, type BinaryNode, proto, type WASocket } from '@whiskeysockets/baileys';
import { BaileysMessageHandler } from '../baileys/patches/message-handler.js';
import { acknowledgeOwnCopy, isOwnCopy } from '../identity/own-receipts.js';
import type { StanzaDetails } from '../identity/stanza-details.js';
import { roughLength } from '../outbox/event-size.js';
import type { Outbox } from '../outbox/outbox.js';
import { acknowledgeAgain } from './acknowledge-again.js';
import type { DecryptionJournal } from './decryption-journal.js';
import type { Drop } from './dropped-messages.js';
import { HistoryParts } from './history-parts.js';
import { InboundMessage } from './inbound-message.js';
import type { MessageDeduplicator } from './message-deduplicator.js';
import type { MissingContents } from './missing-contents.js';
import { withoutMessage } from './repeated-events.js';

const RETRY_MS = 1_000;
/** How often a message that waits for a place in the journal looks for one. */
const PLACE_MS = 50;

interface InboundPipelineOptions {
  readonly socket: WASocket;
  readonly deduplicator: MessageDeduplicator;
  readonly journal: DecryptionJournal;
  readonly outbox: Outbox;
  readonly missing: MissingContents;
  readonly details: StanzaDetails;
  readonly logger: Logger;
  /** Whether the events of the socket are no longer published. */
  readonly isMuted: () => boolean;
  /** Whether Baileys is to fetch a part of the history. */
  readonly isHistoryWanted: ConstructorParameters<typeof HistoryParts>[0];
  /** Messages that come before all others. They begin with `start`, or with the first new message. */
  readonly leftOver: readonly BinaryNode[];
}

/**
 * The way of a connection's messages from WhatsApp to the event log, one message at a time: see `#process`. Their events
 * are therefore in the order in which WhatsApp sent the messages.
 *
 * A message that has not begun when the connection or the pipeline closes is dropped. It is not acknowledged, so
 * WhatsApp sends it again at the next login.
 */
export class InboundPipeline {
  readonly #options: InboundPipelineOptions;
  readonly #baileys: BaileysMessageHandler;
  readonly #history: HistoryParts;
  #waiting: BinaryNode[];
  /** The message that Baileys is processing. */
  #current: InboundMessage | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** Takes the place of Baileys as the listener for messages. */
  constructor(options: InboundPipelineOptions) {
    this.#options = options;
    this.#history = new HistoryParts(options.isHistoryWanted);
    this.#waiting = [...options.leftOver];
    this.#baileys = new BaileysMessageHandler(options.socket.ws, (stanza) => {
      if (this.#isClosed) return;
      this.#waiting.push(stanza);
      this.start();
    });
  }

  /** Begins with the waiting messages. */
  start(): void {
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  /** Begins no further message. Resolves when the current one is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    await this.#running;
  }

  /** The connection has ended. What Baileys stores or emits for the current message after that is lost. */
  cut(): void {
    if (this.#current !== undefined) this.#current.isCut = true;
  }

  /** The id of the current message, until its event is emitted. */
  get idWaitedFor(): string | undefined {
    return this.#current?.isEmitted === false ? this.#current.id : undefined;
  }

  /**
   * Notes the event of the current message. Call it with all emitted events.
   * @returns the events to publish: without a message that came again and the events derived from it. Changes of other
   * messages are kept.
   */
  observe(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    const current = this.#current;
    if (current?.id === undefined) {
      this.#noteHistory(events);
      return events;
    }
    const emitted = current.isEmitted
      ? undefined
      : events['messages.upsert']?.messages.find(({ key }) => key.id === current.id);
    if (emitted !== undefined) {
      current.isEmitted = true;
      current.isReadable = emitted.messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT;
      this.#history.note(current, emitted);
    }
    this.#noteHistory(events, current);
    return current.isRepeated ? withoutMessage(events, current.id) : events;
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#process(new InboundMessage(next));
    }
    this.#running = undefined;
  }

  async #process(message: InboundMessage): Promise<void> {
    const { socket, journal, missing, details, logger } = this.#options;

    // Take. Without a connection a message could be decrypted, which works only once, and then not be acknowledged.
    if (!socket.ws.isOpen) return;

    // Deduplicate. A message that was published before is only acknowledged, unless the session needs its keys.
    message.isRepeated = await this.#isRepeated(message);
    if (message.isRepeated) {
      logger.info({ message: message.id }, 'a message came again');
      if (message.isOfBacklog || !message.mayBringKeys) return this.#acknowledgeAgain(message);
    }
    // Baileys would acknowledge such a message without an event.
    const drop = missing.dropOf(message.stanza);
    if (drop !== undefined) return this.#drop(message, drop);

    // Wait for a place in the journal: without one the message could be acknowledged and not be stored anywhere.
    while (!journal.hasPlaceFor(message.stanza)) {
      if (!socket.ws.isOpen || this.#isClosed) return;
      await delay(PLACE_MS);
    }
    if (!socket.ws.isOpen) return;

    // Decrypt and persist: Baileys decrypts, and the journal stores the plaintext in the write that stores the keys.
    // Acknowledge: then Baileys sends the receipt. Map and append: at last it emits the events, which the connection
    // publishes at once, so they wait in the outbox.
    this.#current = message;
    details.begin(message.stanza);
    const isOurs = await journal.record(
      message,
      () => this.#baileys.handle(message.stanza),
      () => this.#conclude(message),
    );
    this.#current = undefined;

    // Finish: the append of its last event deletes the plaintext and stores the digest that identifies the message.
    if (isOurs) this.#finish(message);
    this.#completeReceipt(message);
    if (isOurs && this.#history.isDue(message)) this.#fetchAgain(message);
  }

  /** A part of the history may come later than the end of its message, if something else failed meanwhile. */
  #noteHistory({ 'messaging-history.set': part }: Partial<BaileysEventMap>, current?: InboundMessage): void {
    const message = part && this.#history.emitted(part, current);
    if (message !== undefined && message !== current) this.#handOut(message);
  }

  /**
   * Processes a message again whose part of the history could not be fetched. The journal has its plaintext. After the
   * end of the connection the next one begins with it.
   */
  #fetchAgain(message: InboundMessage): void {
    const { socket, logger } = this.#options;
    // Without a plaintext Baileys could not decrypt it again.
    if (!socket.ws.isOpen || this.#isClosed || message.entry === undefined) return;
    const retryMs = this.#history.failed(message);
    logger.warn({ message: message.id, retryMs }, 'a part of the history could not be fetched');
    if (retryMs === undefined) {
      this.#handOut(message);
      return;
    }
    setTimeout(() => {
      if (this.#isClosed || !socket.ws.isOpen || !this.#history.isDue(message)) return;
      this.#waiting.push(message.stanza);
      this.start();
    }, retryMs).unref();
  }

  /** Nothing more comes of a message that was left unfinished. */
  #handOut(message: InboundMessage): void {
    message.isHandedOut = true;
    if (message.entry !== undefined) message.entry.state = 'handed-out';
    this.#finish(message);
  }

  #finish(message: InboundMessage): void {
    const { field, digest } = message;
    if (digest !== undefined) this.#options.deduplicator.add(digest);
    if (field !== undefined || digest !== undefined) this.#options.outbox.finish(message);
  }

  /** Publishes that a message has no content here. The notice is in the log before the message is acknowledged. */
  #drop(message: InboundMessage, { reason, code }: Drop): void {
    const { missing, outbox } = this.#options;
    missing.publish(message.stanza, reason);
    message.isDropped = true;
    message.isHandedOut = true;
    this.#finish(message);
    outbox.run(() => missing.acknowledge(message.stanza, code), roughLength(message.stanza));
  }

  /** Baileys is done with the message. @returns whether all of its events, if any, were handed out. */
  #conclude(message: InboundMessage): boolean {
    const { socket, missing, isMuted } = this.#options;
    if (socket.ev.isBuffering()) socket.ev.flush();
    if (this.idWaitedFor !== undefined && socket.ws.isOpen) missing.publishUnemitted(message.stanza);
    // Baileys gives up a message if it cannot send the receipt.
    const isComplete = !message.isCut && !this.#history.isDue(message);
    message.isHandedOut = !isMuted() && isComplete && (socket.ws.isOpen || message.isEmitted);
    return message.isHandedOut;
  }

  /**
   * Whether the message was published before. While Redis is unreachable this is unknown, and the message waits; the
   * connection ends if that takes long.
   */
  async #isRepeated(message: InboundMessage): Promise<boolean> {
    const { socket, deduplicator, logger } = this.#options;
    for (;;) {
      try {
        return await deduplicator.includes(message, socket.authState.creds.me);
      } catch (error) {
        if (!socket.ws.isOpen) return false;
        if (!isRedisUnreachable(error)) {
          logger.error(
            { err: error, message: message.id },
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

  /** Its events may wait in the outbox still, so it is acknowledged once everything that waits there is in the log. */
  #acknowledgeAgain({ stanza }: InboundMessage): void {
    const { socket, outbox, logger } = this.#options;
    outbox.run(async () => {
      try {
        await acknowledgeAgain(socket, stanza);
      } catch (error) {
        logger.warn({ err: error }, 'a message that came again could not be acknowledged');
      }
    }, roughLength(stanza));
  }

  /** Acknowledges a message of the account's other devices, where the receipt of Baileys names the wrong chat. */
  #completeReceipt(message: InboundMessage): void {
    const { socket, logger } = this.#options;
    // A message that could not be read is requested again, and must not count as delivered.
    if (!message.wasRead || !isOwnCopy(message.stanza, socket.authState.creds.me)) return;
    acknowledgeOwnCopy(socket, message.stanza, { always: false }).catch((error: unknown) => {
      logger.warn({ err: error }, 'a message of the account could not be acknowledged');
    });
  }
}
