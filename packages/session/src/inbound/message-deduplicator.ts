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

/** How many messages are remembered for live ones that come again; about 100 bytes each. */
const MAX_RECENT = 1_000;

/**
 * Recognises messages that WhatsApp delivers again although their events are in the log: it did not get the receipt,
 * since the process or the connection ended, or the sender sent the message again for a receiver that has it by now.
 * Signal would not decrypt such a one a second time, so that clients would be told of a message that cannot be
 * decrypted, and get it twice once the sender has encrypted it anew.
 *
 * A message is known by the key that clients see, under whichever address it comes: see MessageDigests. What waited for
 * the device, and what was sent again, is looked up among all that Redis knows. Any other message is looked for among
 * the last 1,000, in memory: Baileys sends a message to a whole group again, under the same id, for each new phone of a
 * member that asks for it.
 */
export class MessageDeduplicator {
  readonly #finished: ProcessedMessages;
  readonly #fence: Fence;
  readonly #people: People;
  /** Handed out, and not known to be in the log. */
  readonly #underWay = new Set<string>();
  /** The last messages in the log, oldest first; those of earlier owners of the session come first. */
  readonly #recent = new Set<string>();
  #seeding: Promise<void> | undefined;
  /** What was known when the connection's first such message came, and what has been added since. */
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

  /** They are in the log, and the digest with them. */
  logged(digest: string): void {
    this.#underWay.delete(digest);
    this.#known?.added.add(digest);
    this.#remember([digest]);
  }

  /** By which a message is known, as far as the memory knows people; undefined for a stanza that is not a message. */
  digestsOf(stanza: BinaryNode, me: Me | undefined): MessageDigests | undefined {
    return digestsOf(stanza, me, this.#people);
  }

  /**
   * Whether a message was handed out before. Rejects when Redis cannot be reached.
   * @param digests of the stanza.
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

  /** Whether the events of a message are in the log. Rejects when Redis cannot be reached. */
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
   * All digests, with those of the ids that are stored. The events of the message would need the same ids and read them
   * otherwise, so a new message costs no further read.
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

  /** Reads what earlier owners of the session noted, once. */
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

  /** Frees what was read. To be called when a connection begins, and when its backlog is done. */
  forget(): void {
    this.#known = undefined;
  }
}

/** Tells WhatsApp of a message what Baileys tells of one that it could decrypt (Socket/messages-recv.js, `handleMessage`). */
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
 * Whether a message may bring keys beside its content: of a new Signal session, or of the sender's messages to a
 * group. Such a one has to be decrypted even if its content is known.
 */
export function mayBringKeys(stanza: BinaryNode): boolean {
  const types = getBinaryNodeChildren(stanza, 'enc').map(({ attrs }) => attrs.type);
  return types.includes('pkmsg') || (types.includes('skmsg') && types.length > 1);
}

/** A sender numbers what it sends again for a receiver that could not decrypt it. */
function isSentAgain(stanza: BinaryNode): boolean {
  return getBinaryNodeChildren(stanza, 'enc').some(({ attrs }) => attrs.count !== undefined);
}
