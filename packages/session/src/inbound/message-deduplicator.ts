import type { Fence, KnownDigests, ProcessedMessages } from '@wafleet/store';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import type { InboundMessage } from './inbound-message.js';
import { digestsOf, type Me, type MessageDigests } from './message-digests.js';

/** How many messages are remembered, to recognise live ones that come again; about 100 bytes each. */
const MAX_RECENT = 1_000;

/**
 * Recognises messages that WhatsApp delivers again although their events are in the log. WhatsApp did not get the
 * receipt, since the process or the connection ended, or the sender sent the message again for a receiver that has it
 * by now. Signal could not decrypt such a message a second time. Without this class, clients would get an event for a
 * message that cannot be decrypted, and get the message twice once the sender has encrypted it again.
 *
 * A message is identified by the key that clients see, under all of its addresses: see MessageDigests. A message that
 * waited for the device, or that was sent again, is looked up among all digests in Redis. Any other message is looked
 * up among the last 1,000, in memory: Baileys sends a message to a whole group again, under the same id, for each new
 * phone of a member that asks for it.
 */
export class MessageDeduplicator {
  readonly #finished: ProcessedMessages;
  readonly #fence: Fence;
  readonly #people: People;
  /** The last messages that were handed out, oldest first; those of the session's earlier owners come first. */
  readonly #recent = new Set<string>();
  #seeding: Promise<void> | undefined;
  /** The stored digests when the connection's first such message came, and those added since. */
  #known: { stored: Promise<KnownDigests>; added: Set<string> } | undefined;

  constructor(options: { finished: ProcessedMessages; fence: Fence; people: People }) {
    this.#finished = options.finished;
    this.#fence = options.fence;
    this.#people = options.people;
  }

  /** Adds a message whose events were handed out. */
  add(digest: string): void {
    this.#known?.added.add(digest);
    this.#remember([digest]);
  }

  /**
   * Returns the digests that identify a message, for the people known in memory; undefined for a stanza that is not a
   * message.
   */
  digestsOf(stanza: BinaryNode, me: Me | undefined): MessageDigests | undefined {
    return digestsOf(stanza, me, this.#people);
  }

  /** Whether a message was handed out before. Sets its digests. Rejects if Redis is unreachable. */
  async includes(message: InboundMessage, me: Me | undefined): Promise<boolean> {
    const { stanza, isOfBacklog } = message;
    message.digests ??= this.digestsOf(stanza, me);
    const { digests } = message;
    if (digests === undefined) return false;
    if (digests.all.some((digest) => this.#recent.has(digest))) return true;
    const all = await this.#completed(digests, stanza, me);
    if (!isOfBacklog && !message.isSentAgain) {
      await this.#seed();
      return all.some((digest) => this.#recent.has(digest));
    }
    if (!isOfBacklog && this.#known === undefined) {
      const stored = await this.#finished.read(this.#fence);
      return all.some((digest) => stored.has(digest));
    }
    this.#known ??= { stored: this.#finished.read(this.#fence), added: new Set() };
    const { stored, added } = this.#known;
    try {
      const known = await stored;
      return all.some((digest) => known.has(digest) || added.has(digest));
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }

  /** Whether the events of a message are in the log. Rejects if Redis is unreachable. */
  async isFinished(stanza: BinaryNode, me: Me | undefined): Promise<boolean> {
    const digests = this.digestsOf(stanza, me);
    if (digests === undefined) return false;
    const all = await this.#completed(digests, stanza, me);
    const stored = await this.#finished.read(this.#fence);
    return all.some((digest) => stored.has(digest));
  }

  /**
   * Returns all digests, including those for ids that must be loaded from the store. The events of a new message need
   * the same ids and would load them anyway, so this adds no read.
   */
  async #completed(
    digests: MessageDigests,
    stanza: BinaryNode,
    me: Me | undefined,
  ): Promise<readonly string[]> {
    if (digests.unknown.length === 0) return digests.all;
    await this.#people.load(digests.unknown);
    return this.digestsOf(stanza, me)?.all ?? digests.all;
  }

  /** Reads once what the session's earlier owners noted. */
  #seed(): Promise<void> {
    this.#seeding ??= this.#finished.read(this.#fence).then(
      (known) => {
        const newer = [...this.#recent];
        this.#recent.clear();
        this.#remember([...known.latest(MAX_RECENT), ...newer]);
      },
      (error: unknown) => {
        this.#seeding = undefined;
        throw error;
      },
    );
    return this.#seeding;
  }

  #remember(digests: readonly string[]): void {
    for (const digest of digests) {
      this.#recent.add(digest);
      if (this.#recent.size <= MAX_RECENT) continue;
      const [oldest] = this.#recent;
      if (oldest !== undefined) this.#recent.delete(oldest);
    }
  }

  /** Frees the stored digests. Call it when a connection begins, and when its backlog is done. */
  forget(): void {
    this.#known = undefined;
  }
}
