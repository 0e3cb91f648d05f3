import type { Fence, KnownDigests, ProcessedMessages } from '@wafleet/store';
import {
  type BinaryNode,
  getBinaryNodeChildren,
  isJidNewsletter,
  isLidUser,
  type WASocket,
} from '@whiskeysockets/baileys';
import { acknowledgeOwnCopy, isOwnCopy } from '../identity/own-receipts.js';
import type { People } from '../identity/people.js';
import { decodedMessage, digestsOf, type Me, type MessageDigests } from './message-digests.js';

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
  /** Handed out, and not known to be in the log. */
  readonly #underWay = new Set<string>();
  /** The last messages in the log, oldest first; those of the session's earlier owners come first. */
  readonly #recent = new Set<string>();
  #seeding: Promise<void> | undefined;
  /** The stored digests when the connection's first such message came, and those added since. */
  #known: { stored: Promise<KnownDigests>; added: Set<string> } | undefined;

  constructor(options: { finished: ProcessedMessages; fence: Fence; people: People }) {
    this.#finished = options.finished;
    this.#fence = options.fence;
    this.#people = options.people;
  }

  /** The events of a message were handed out. */
  handedOut(digest: string): void {
    this.#underWay.add(digest);
  }

  /** The events are in the log, with the digest. */
  logged(digest: string): void {
    this.#underWay.delete(digest);
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

  /**
   * Whether a message was handed out before. Rejects if Redis is unreachable.
   * @param digests the digests of the stanza.
   */
  async includes(stanza: BinaryNode, me: Me | undefined, digests: MessageDigests): Promise<boolean> {
    if (digests.all.some((digest) => this.#isInMemory(digest))) return true;
    const all = await this.#completed(digests, stanza, me);
    const isOfBacklog = stanza.attrs.offline !== undefined;
    if (!isOfBacklog && !isSentAgain(stanza)) {
      await this.#seed();
      return all.some((digest) => this.#isInMemory(digest));
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

  #isInMemory(digest: string): boolean {
    return this.#underWay.has(digest) || this.#recent.has(digest);
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

/**
 * Acknowledges a message to WhatsApp as Baileys acknowledges one that it could decrypt (Socket/messages-recv.js,
 * `handleMessage`).
 */
export async function acknowledgeAgain(socket: WASocket, stanza: BinaryNode): Promise<void> {
  const { me } = socket.authState.creds;
  if (isOwnCopy(stanza, me)) return acknowledgeOwnCopy(socket, stanza, { always: true });
  const { key, author } = decodedMessage(stanza, me) ?? {};
  if (!key?.remoteJid || !key.id) return;
  if (isJidNewsletter(key.remoteJid)) return socket.sendMessageAck(stanza);
  const isMine = key.fromMe === true;
  const isOfLid = isLidUser(key.remoteJid) === true || isLidUser(key.remoteJidAlt ?? undefined) === true;
  const participant = isMine && isOfLid ? author : (key.participant ?? undefined);
  const type = stanza.attrs.category === 'peer' ? 'peer_msg' : isMine ? 'sender' : 'inactive';
  await socket.sendReceipt(key.remoteJid, participant, [key.id], type);
}

/**
 * Whether a message may bring keys besides its content: those of a new Signal session, or of the sender's messages to a
 * group. Such a message has to be decrypted even if its content is known.
 */
export function mayBringKeys(stanza: BinaryNode): boolean {
  const types = getBinaryNodeChildren(stanza, 'enc').map(({ attrs }) => attrs.type);
  return types.includes('pkmsg') || (types.includes('skmsg') && types.length > 1);
}

/** A sender numbers its repetitions of a message for a receiver that could not decrypt it. */
function isSentAgain(stanza: BinaryNode): boolean {
  return getBinaryNodeChildren(stanza, 'enc').some(({ attrs }) => attrs.count !== undefined);
}
