import { type BinaryNode, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import type { FinishedMessage } from '../outbox/batch.js';
import type { JournalledMessage } from './decryption-journal.js';
import type { JournalEntry } from './journal-entry.js';
import type { MessageDigests } from './message-digests.js';

/**
 * A message that WhatsApp has sent: everything that the session knows about it, from its arrival until its events are in
 * the log. InboundPipeline says what happens to it, in order.
 */
export class InboundMessage implements JournalledMessage, FinishedMessage {
  readonly stanza: BinaryNode;
  /** What identifies it. Undefined for a stanza that Baileys refuses. */
  digests: MessageDigests | undefined;
  /** Its events were published before. Baileys decrypts it only for the keys that it brings. */
  isRepeated = false;
  /** Its plaintexts, as they are stored until its events are in the log. Undefined if nothing was decrypted. */
  entry: JournalEntry | undefined;
  /** It is published without its content, and Baileys does not process it. */
  isDropped = false;
  /** Its event was emitted. */
  isEmitted = false;
  /** Its event has its content. */
  isReadable = false;
  /** Some of its writes or events were lost with the connection. */
  isCut = false;
  /** All of its events, if any, were passed to the outbox. */
  isHandedOut = false;

  constructor(stanza: BinaryNode) {
    this.stanza = stanza;
  }

  get id(): string | undefined {
    return this.stanza.attrs.id;
  }

  /** Whether it waited for the login. */
  get isOfBacklog(): boolean {
    return this.stanza.attrs.offline !== undefined;
  }

  /** Whether the sender sent it again. A sender numbers its repetitions for a receiver that could not decrypt it. */
  get isSentAgain(): boolean {
    return getBinaryNodeChildren(this.stanza, 'enc').some(({ attrs }) => attrs.count !== undefined);
  }

  /**
   * Whether it may bring keys besides its content: those of a new Signal session, or of the sender's messages to a
   * group. Such a message has to be decrypted even if its content is known.
   */
  get mayBringKeys(): boolean {
    const types = getBinaryNodeChildren(this.stanza, 'enc').map(({ attrs }) => attrs.type);
    return types.includes('pkmsg') || (types.includes('skmsg') && types.length > 1);
  }

  /** Whether the event of this message was emitted, with its content. */
  get wasRead(): boolean {
    return this.isEmitted && this.isReadable;
  }

  /** See FinishedMessage. */
  get field(): string | undefined {
    return this.isHandedOut ? this.entry?.field : undefined;
  }

  /**
   * See FinishedMessage. Undefined if the message may come again and is wanted then, such as one that could not be
   * decrypted.
   */
  get digest(): string | undefined {
    const isFinal = this.wasRead || this.isDropped;
    return this.isHandedOut && isFinal && !this.isRepeated ? this.digests?.own : undefined;
  }

  /** Its events are in the log, and its plaintexts are deleted. */
  logged(): void {
    if (this.field !== undefined) this.entry?.deleted();
  }
}
