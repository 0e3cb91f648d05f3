import type { ConnectionState } from '@whiskeysockets/baileys';
import type { DisconnectCause } from '../mapping/connection.js';
import { banLeftMs, isDeviceRemoved, type Reaction, reactionTo } from './disconnects.js';

/** This number of replacements within this time means that another client keeps using the same credentials. */
const REPLACED = { times: 5, withinMs: 3_600_000 };

/** How long the program that had an imported session before may still run by mistake. */
const SOURCE_WATCHED_MS = 86_400_000;

const RATE_LIMITED = 429;
/** Refusals within this time make the next wait longer. */
const REFUSED_LATELY_MS = 1_800_000;

/**
 * Decides how a session reacts to the end of its connection, based on the earlier ends.
 *
 * The history lives as long as the session object. To survive a move to another worker, the count would have to be
 * stored in the session's record and cleared by a restart. Without that, a session that is moved while another client
 * uses its credentials fails at most four conflicts later, which takes some minutes.
 */
export class Reconnecting {
  readonly #random: () => number;
  readonly #now: () => number;
  /** Until then a replacement means that the source of the import still runs. By `now`. */
  readonly #sourceWatchedUntil: number;
  #replacedAt: number[] = [];
  #refusedAt: number[] = [];

  /**
   * @param options.now returns the ms of a monotonic clock.
   * @param options.importedAt when the credentials were imported, ms since 1970; undefined if they were not.
   */
  constructor({
    random = Math.random,
    now = () => performance.now(),
    importedAt,
  }: { random?: () => number; now?: () => number; importedAt?: number | undefined } = {}) {
    this.#random = random;
    this.#now = now;
    this.#sourceWatchedUntil =
      importedAt === undefined
        ? Number.NEGATIVE_INFINITY
        : now() + importedAt + SOURCE_WATCHED_MS - Date.now();
  }

  /**
   * Returns what `reactionTo` in disconnects.ts returns, with two exceptions. The session fails the fifth time within an
   * hour that another connection has replaced its own: two clients that keep replacing each other would both lose
   * messages. In the first day after an import it fails the first time: the program that the session came from still
   * runs, and a person has to stop it.
   */
  reactionTo(
    cause: DisconnectCause,
    { isLinked, lastDisconnect }: { isLinked: boolean; lastDisconnect?: ConnectionState['lastDisconnect'] },
  ): Reaction {
    const now = this.#now();
    this.#refusedAt = this.#refusedAt.filter((at) => now - at < REFUSED_LATELY_MS);
    const refusals = this.#refusedAt.length;
    if (cause.statusCode === RATE_LIMITED) this.#refusedAt.push(now);
    const occasion = {
      isLinked,
      banLeftMs: banLeftMs(lastDisconnect),
      isDeviceRemoved: isDeviceRemoved(lastDisconnect),
      random: this.#random(),
      refusals,
    };
    const reaction = reactionTo(cause, occasion);
    if (reaction.kind !== 'replaced') return reaction;
    if (now < this.#sourceWatchedUntil) return { kind: 'failed', reason: 'used-elsewhere' };
    this.#replacedAt = [...this.#replacedAt.filter((at) => now - at < REPLACED.withinMs), now];
    return this.#replacedAt.length < REPLACED.times
      ? { kind: 'reconnect', reason: 'replaced', wait: reaction.wait }
      : { kind: 'failed', reason: 'replaced-repeatedly' };
  }
}
