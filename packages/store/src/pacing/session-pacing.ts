import { createHash } from 'node:crypto';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

const asNumbers = (reply: unknown) => asList(reply).map(asNumber);

const takeSend = new FencedScript('pacing/take-send', asNumbers);
const noteChats = new FencedScript('pacing/note-chats', asNumber);
const readBudgets = new Script('pacing/read-budgets', asNumbers);

/** How long a person is known to have a chat with the account, from the last message on. */
const KNOWN_MS = 90 * 24 * 60 * 60 * 1000;
/** How many ids of people are known. A person has up to two. */
const KNOWN_IDS = 20_000;
const DIGEST_BYTES = 12;

/** How much a session may send. */
export interface PacingPolicy {
  /** Messages in 60 s; 0: any number. */
  readonly sendsPerMinute: number;
  /** New chats in 24 hours; 0: any number. */
  readonly newChatsPerDay: number;
  /** The same for the first days after linking. */
  readonly warmUp: readonly number[];
}

/** When the session was linked, ms since 1970; undefined if that is not known. */
interface LinkAge {
  readonly linkedAt: number | undefined;
}

/** Whether a message may be sent. `waitMs`: when the budget has room again. `isNew`: whether it begins a chat. */
export type TakenSend =
  | { readonly kind: 'taken'; readonly isNew: boolean }
  | { readonly kind: 'sends' | 'new-chats'; readonly waitMs: number; readonly limit: number };

/** What is left of the budgets; a limit of 0: any number. */
interface Budgets {
  readonly sends: number;
  readonly newChats: number;
  readonly newChatLimit: number;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES).toString('base64url');
}

/**
 * The budgets of sessions: what they sent within a minute, and to whom they wrote first within 24 hours, by the clock of
 * Redis. They belong to the session, not to its worker: a takeover and a restart leave them as they are. Messages and
 * people are kept as digests.
 */
export class SessionPacing {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Takes a message that is about to be sent from the budgets, or takes nothing if one of them is used up.
   * @param send.messageId a message that comes again within a minute is taken once.
   * @param send.person the ids of the person whom it is for, at most two. Empty for other chats, and for a person who is
   * known in another way to have a chat with the account.
   * @throws {FencedError}
   */
  async take(
    fence: Fence,
    { messageId, person }: { readonly messageId: string; readonly person: readonly string[] },
    { sendsPerMinute, newChatsPerDay, warmUp, linkedAt = 0 }: PacingPolicy & LinkAge,
  ): Promise<TakenSend> {
    const [one = '', other = ''] = person.map(digestOf);
    const [outcome = 0, isNew = 0, waitMs = 0, limit = 0] = await takeSend.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.sends(fence), keys.newChats(fence), keys.knownChats(fence)],
      [digestOf(messageId), sendsPerMinute, one, other, linkedAt, newChatsPerDay, ...warmUp],
    );
    if (outcome === 0) return { kind: 'taken', isNew: isNew === 1 };
    return { kind: outcome === 1 ? 'sends' : 'new-chats', waitMs, limit };
  }

  /**
   * Notes that people have a chat with the account: it lasts 90 days, for some 10,000 people.
   * @param ids all known ids of each of them.
   * @throws {FencedError}
   */
  async noteChats(fence: Fence, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const known = [keys.knownChats(fence)];
    await noteChats.run(this.#redis, keys.owner(fence), fence, known, [
      ...[KNOWN_MS, KNOWN_IDS],
      ...ids.map(digestOf),
    ]);
  }

  /** Whether a person is noted to have a chat with the account, under any of these ids. */
  async knows(ref: SessionRef, ids: readonly string[]): Promise<boolean> {
    if (ids.length === 0) return false;
    const times = await this.#redis.zmscore(keys.knownChats(ref), ids.map(digestOf));
    return times.some((time) => time !== null);
  }

  /** How much is used of the budgets. */
  async read(
    ref: SessionRef,
    { newChatsPerDay, warmUp, linkedAt = 0 }: PacingPolicy & LinkAge,
  ): Promise<Budgets> {
    const [sends = 0, newChats = 0, newChatLimit = 0] = await readBudgets.run(
      this.#redis,
      [keys.sends(ref), keys.newChats(ref)],
      [linkedAt, newChatsPerDay, ...warmUp],
    );
    return { sends, newChats, newChatLimit };
  }
}
