import { PAUSE_REASONS, type PauseReason } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** How refusals lead to pauses. */
const PAUSES = { withinMs: 60 * MINUTE_MS, firstMs: 15 * MINUTE_MS, longestMs: DAY_MS } as const;
/** The longest time lock that is believed. */
const LONGEST_LOCK_MS = 30 * DAY_MS;
/** How long a session that was refused is remembered: until then, its next pause is longer than its last one. */
const REMEMBERED_MS = 7 * DAY_MS;

/** WhatsApp's refusals of a session's messages, and the pause that they led to. */
export interface Pause {
  /** For how long no new chats are begun, ms; 0 if there is no pause. */
  readonly remainingMs: number;
  /** When that ends, ms since 1970 by the clock of Redis; 0 if there never was a pause. */
  readonly until: number;
  /** How many pauses there were, one after the other. After each, the next new chat is a trial. */
  readonly level: number;
  /** How many refusals are counted. */
  readonly refusals: number;
  readonly reason: PauseReason | undefined;
}

function asPause(reply: unknown): Pause {
  const [remainingMs, until, level, refusals, reason] = asList(reply);
  return {
    remainingMs: asNumber(remainingMs),
    until: asNumber(until),
    level: asNumber(level),
    refusals: asNumber(refusals),
    reason: PAUSE_REASONS.find((each) => each === asText(reason)),
  };
}

const noteRefusal = new FencedScript('pacing/note-refusal', asPause);
const noteTimeLock = new FencedScript('pacing/note-time-lock', asPause);
const readPause = new Script('pacing/read-pause', asPause);
const clearPause = new FencedScript('pacing/clear-pause', asNumber);

/** The pauses of sessions whose messages WhatsApp refuses. They outlive the session's worker. */
export class SendPauses {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async read(ref: SessionRef): Promise<Pause> {
    return readPause.run(this.#redis, [keys.sendPause(ref)], []);
  }

  /**
   * Notes a refusal. The `threshold`th one within an hour begins a pause of 15 minutes. After a pause, the next refusal
   * begins one of twice the length, up to a day, until `clear` is called or a week has passed.
   * @throws {FencedError}
   */
  async noteRefusal(fence: Fence, { threshold }: { readonly threshold: number }): Promise<Pause> {
    const { withinMs, firstMs, longestMs } = PAUSES;
    return noteRefusal.run(...([this.#redis, keys.owner(fence), fence, [keys.sendPause(fence)]] as const), [
      threshold,
      withinMs,
      firstMs,
      longestMs,
      REMEMBERED_MS,
    ]);
  }

  /**
   * Notes what WhatsApp says of its time lock.
   * @param until when it ends, ms since 1970, at most 30 days from now; undefined: there is none.
   * @throws {FencedError}
   */
  async noteTimeLock(fence: Fence, until: number | undefined): Promise<Pause> {
    return noteTimeLock.run(...([this.#redis, keys.owner(fence), fence, [keys.sendPause(fence)]] as const), [
      until ?? 0,
      LONGEST_LOCK_MS,
      REMEMBERED_MS,
    ]);
  }

  /** Forgets the refusals and ends the pause. Returns whether there was something to forget. @throws {FencedError} */
  async clear(fence: Fence): Promise<boolean> {
    const cleared = await clearPause.run(
      ...([this.#redis, keys.owner(fence), fence, [keys.sendPause(fence)]] as const),
      [],
    );
    return cleared === 1;
  }
}
