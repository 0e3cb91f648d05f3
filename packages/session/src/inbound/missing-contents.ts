import type { Logger } from '@wafleet/runtime';
import type { BaileysEventMap, BinaryNode, WASocket } from '@whiskeysockets/baileys';
import type { StanzaDetails } from '../identity/stanza-details.js';
import { roughLength } from '../outbox/event-size.js';
import type { Outbox } from '../outbox/outbox.js';
import { type Drop, dropOf, reasonAfterwards } from './dropped-messages.js';
import type { MessageDeduplicator } from './message-deduplicator.js';
import { envelopeOf, noticeOf } from './notice.js';

interface MissingContentsOptions {
  readonly socket: WASocket;
  readonly logger: Logger;
  /** Corrects what Baileys reads wrongly of a message, in place. */
  readonly details: Pick<StanzaDetails, 'correct'>;
  /** Whether the socket's messages are no longer published. */
  readonly isMuted: () => boolean;
  /** Publishes events. */
  readonly onEvents: (events: Partial<BaileysEventMap>) => void;
  /** Shows which messages are in the log. */
  readonly deduplicator: Pick<MessageDeduplicator, 'isFinished'>;
  readonly outbox: Pick<Outbox, 'run'>;
}

/**
 * Publishes messages that Baileys acknowledges without an event: their content is for phones only, too old to be asked
 * for, or cannot be read.
 */
export class MissingContents {
  readonly #options: MissingContentsOptions;

  constructor(options: MissingContentsOptions) {
    this.#options = options;
  }

  /** Why Baileys would drop the message, as its stanza shows. Undefined for any other message. */
  dropOf(stanza: BinaryNode): Drop | undefined {
    const { socket, isMuted } = this.#options;
    const { me } = socket.authState.creds;
    const drop = isMuted() ? undefined : dropOf(stanza, nowInSeconds());
    return me === undefined || envelopeOf(stanza, me) === undefined ? undefined : drop;
  }

  /** Never rejects. */
  async acknowledge(stanza: BinaryNode, code: number | undefined): Promise<void> {
    try {
      await this.#options.socket.sendMessageAck(stanza, code);
    } catch (error) {
      // WhatsApp delivers it again. It is then recognised by its digest.
      this.#options.logger.warn({ err: error }, 'a message without a content could not be acknowledged');
    }
  }

  /** Publishes a message that Baileys has acknowledged without an event, if its stanza alone did not show that. */
  publishUnemitted(stanza: BinaryNode): void {
    const { socket, deduplicator, outbox, isMuted } = this.#options;
    const { me } = socket.authState.creds;
    if (isMuted() || me === undefined || stanza.attrs.category === 'peer') return;
    const reason = reasonAfterwards(stanza, envelopeOf(stanza, me) !== undefined, nowInSeconds());
    if (reason !== 'keys-used') {
      this.publish(stanza, reason);
      return;
    }
    // A message that was published before and came a second time has no missing content.
    outbox.run(async () => {
      if (!(await deduplicator.isFinished(stanza, me))) this.publish(stanza, reason);
    }, roughLength(stanza));
  }

  /** Publishes a message without its content. */
  publish(stanza: BinaryNode, reason: Parameters<typeof noticeOf>[2]): void {
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
