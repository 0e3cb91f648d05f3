import type { ConnectionState } from '@whiskeysockets/baileys';
import type { DisconnectCause } from '../mapping/connection.js';
import { banLeftMs, isDeviceRemoved, type Reaction, reactionTo } from './disconnects.js';

/** So many replacements within this time mean that somebody else keeps using the same credentials. */
const REPLACED = { times: 5, withinMs: 3_600_000 };

const RATE_LIMITED = 429;
/** Refusals within this time make the next wait longer. */
const REFUSED_LATELY_MS = 1_800_000;

/**
 * What a session does about the ends of its connections, in the light of those that came before.
 *
 * It remembers no longer than the session object lives. To survive a move to another worker the count would have to
 * stand in the session's record, and to be cleared by a restart; as it is, a session that is moved while somebody else
 * uses its credentials fails four conflicts later at the most, which is a matter of minutes.
 */
export class Reconnecting {
  readonly #random: () => number;
  readonly #now: () => number;
  #replacedAt: number[] = [];
  #refusedAt: number[] = [];

  /** @param options.now ms of a clock that is never set. */
  constructor({ random = Math.random, now = () => performance.now() } = {}) {
    this.#random = random;
    this.#now = now;
  }

  /**
   * As `reactionTo` has it. The fifth time within an hour that another connection has replaced the session's own it
   * fails, since two who replace each other for ever would both lose messages.
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
    this.#replacedAt = [...this.#replacedAt.filter((at) => now - at < REPLACED.withinMs), now];
    return this.#replacedAt.length < REPLACED.times
      ? { kind: 'reconnect', reason: 'replaced', wait: reaction.wait }
      : { kind: 'failed', reason: 'replaced-repeatedly' };
  }
}
