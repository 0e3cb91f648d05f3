import type { Logger } from '@wafleet/runtime';
import type { BaileysEventMap, BinaryNode, WASocket } from '@whiskeysockets/baileys';
import { roughLength } from '../events/event-size.js';
import type { FinishedMessage } from '../events/outbox.js';
import type { StanzaDetails } from '../identity/stanza-details.js';
import type { MessageHooks } from '../inbound/inbound-queue.js';
import type { MessageDeduplicator } from '../inbound/message-deduplicator.js';
import { dropOf, reasonAfterwards } from './dropped-messages.js';
import { envelopeOf, noticeOf } from './notice.js';

export interface MissingContentsOptions {
  readonly socket: WASocket;
  readonly logger: Logger;
  /** What is done around each message that Baileys gets. */
  readonly hooks: MessageHooks;
  /** The id of the message that Baileys works on, until its event is emitted. */
  readonly idWaitedFor: () => string | undefined;
  /** Corrects what Baileys reads wrongly of a message, in place. */
  readonly details: Pick<StanzaDetails, 'correct'>;
  /** Whether the socket's messages are no longer published. */
  readonly isMuted: () => boolean;
  /** Publishes events. */
  readonly onEvents: (events: Partial<BaileysEventMap>) => void;
  /** Called after the events of a message were handed over. */
  readonly onDone: (message: FinishedMessage) => void;
  /** Shows which messages are in the log. */
  readonly repeated: Pick<MessageDeduplicator, 'digestsOf' | 'isFinished'>;
  /**
   * Runs `step` once all events that were handed over before are in the log. `characters` is the approximate size of
   * the step.
   */
  readonly afterEvents: (step: () => Promise<void>, characters: number) => void;
}

/**
 * Publishes messages that Baileys acknowledges without an event: their content is for phones only, too old to be asked
 * for, or cannot be read. Where the stanza shows that, the event is in the log before the message is acknowledged.
 */
export class MissingContents implements MessageHooks {
  readonly #options: MissingContentsOptions;

  constructor(options: MissingContentsOptions) {
    this.#options = options;
  }

  async isDone(stanza: BinaryNode): Promise<boolean> {
    return (await this.#options.hooks.isDone(stanza)) || this.#take(stanza);
  }

  before(stanza: BinaryNode): void {
    this.#options.hooks.before(stanza);
  }

  after(stanza: BinaryNode): void {
    const { socket, hooks, idWaitedFor, isMuted } = this.#options;
    if (socket.ev.isBuffering()) socket.ev.flush();
    if (idWaitedFor() !== undefined && socket.ws.isOpen && !isMuted()) this.#tellDropped(stanza);
    hooks.after(stanza);
  }

  /** Handles a message that Baileys would drop. Returns false for any other message. */
  #take(stanza: BinaryNode): boolean {
    const { socket, logger, repeated, isMuted, onDone, afterEvents } = this.#options;
    const { me } = socket.authState.creds;
    const drop = isMuted() ? undefined : dropOf(stanza, nowInSeconds());
    if (drop === undefined || me === undefined || envelopeOf(stanza, me) === undefined) return false;
    this.#publish(stanza, drop.reason);
    onDone({ field: undefined, digest: repeated.digestsOf(stanza, me)?.own });
    afterEvents(async () => {
      try {
        await socket.sendMessageAck(stanza, drop.code);
      } catch (error) {
        // WhatsApp delivers it again. It is then recognised by its digest.
        logger.warn({ err: error }, 'a message without a content could not be acknowledged');
      }
    }, roughLength(stanza));
    return true;
  }

  /** Baileys is done with a message, and has acknowledged it, without an event. */
  #tellDropped(stanza: BinaryNode): void {
    const { me } = this.#options.socket.authState.creds;
    if (me === undefined || stanza.attrs.category === 'peer') return;
    const { repeated, afterEvents } = this.#options;
    const reason = reasonAfterwards(stanza, envelopeOf(stanza, me) !== undefined, nowInSeconds());
    if (reason !== 'keys-used') {
      this.#publish(stanza, reason);
      return;
    }
    // A message that was published before and came a second time has no missing content.
    afterEvents(async () => {
      if (!(await repeated.isFinished(stanza, me))) this.#publish(stanza, reason);
    }, roughLength(stanza));
  }

  #publish(stanza: BinaryNode, reason: Parameters<typeof noticeOf>[2]): void {
    const { socket, logger, details, onEvents } = this.#options;
    const { me } = socket.authState.creds;
    const notice = me && noticeOf(stanza, me, reason);
    if (notice === undefined) {
      logger.warn({ reason }, 'a message without an id or a sender was dropped');
      return;
    }
    details.correct(notice, stanza.attrs);
    logger.info({ message: stanza.attrs.id, reason }, 'the content of a message is missing');
    const type = stanza.attrs.offline === undefined ? 'notify' : 'append';
    onEvents({ 'messages.upsert': { messages: [notice], type } });
  }
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
