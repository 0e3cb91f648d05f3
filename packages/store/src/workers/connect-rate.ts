import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** How long a client version that WhatsApp refused keeps away: this long first, then twice as long each time. */
const PAUSE_MS = { first: 30_000, longest: 1_800_000 };
/** A probe is a connect, which has a minute, and the way there and back. */
const PROBE_MS = 75_000;
const NEXT_PROBE_MS = 5_000;
/** A breaker that nobody probes belongs to a version that nobody has any more. */
const FORGOTTEN_AFTER_MS = 86_400_000;

/** The share of the bucket that is left to connects for which a person waits. */
const RESERVE = 0.25;

export interface ConnectDemand {
  /** Connects that a person waits for, who is about to link a phone. */
  readonly urgent: number;
  readonly others: number;
}

export interface ConnectGrant extends ConnectDemand {
  /** Asking again earlier than after this many ms does not help. */
  readonly waitMs: number;
  /**
   * `closed`: WhatsApp accepts this version of the client, as far as is known. `open`: it does not, and nobody
   * connects. `probe`: the one connect that was granted finds out whether that is still so.
   */
  readonly breaker: 'closed' | 'open' | 'probe';
}

const takeConnects = new Script('workers/take-connects', (reply): ConnectGrant => {
  const [urgent, others, waitMs, breaker] = asList(reply);
  const state = asText(breaker);
  if (state !== 'closed' && state !== 'open' && state !== 'probe') throw new TypeError(`a breaker ${state}`);
  return {
    urgent: asNumber(urgent),
    others: asNumber(others),
    waitMs: asNumber(waitMs),
    breaker: state,
  };
});
const openBreaker = new Script('workers/open-breaker', asNumber);
const endProbe = new Script('workers/end-probe', asNumber);

/**
 * How fast all workers together connect to WhatsApp: a token bucket in Redis, by the clock of Redis. In any time t
 * (in seconds) no more than `perSecond * (1 + t)` connects are granted, and of those a quarter is kept for the ones
 * that a person waits for. What is granted and not used is lost.
 *
 * And whether they connect at all: a breaker for each version of the client, which one refusal of that version opens
 * for everybody who has it. Workers with a newer version are not held up by it.
 */
export class ConnectRate {
  readonly #redis: RedisConnection;
  readonly #perSecond: number;
  readonly #breaker: string;
  readonly #pauseMs: { readonly first: number; readonly longest: number };

  /** @param options.clientVersion what WhatsApp may refuse as outdated, such as `2.3000.1`. */
  constructor(
    redis: RedisConnection,
    options: {
      perSecond: number;
      clientVersion: string;
      pauseMs?: { readonly first: number; readonly longest: number };
    },
  ) {
    this.#redis = redis;
    this.#perSecond = options.perSecond;
    this.#breaker = keys.connectBreaker(options.clientVersion);
    this.#pauseMs = options.pauseMs ?? PAUSE_MS;
  }

  /** Takes as many tokens as there are, at most as many as are wanted. */
  take({ urgent, others }: ConnectDemand): Promise<ConnectGrant> {
    const reserve = Math.floor(this.#perSecond * RESERVE);
    return takeConnects.run(
      this.#redis,
      [keys.connectBucket, this.#breaker],
      [urgent, others, this.#perSecond, reserve, PROBE_MS],
    );
  }

  /** WhatsApp has refused this version of the client: nobody with it connects for a while. */
  async versionRefused({ wasProbe }: { wasProbe: boolean }): Promise<void> {
    const { first, longest } = this.#pauseMs;
    await openBreaker.run(
      this.#redis,
      [this.#breaker],
      [wasProbe ? 1 : 0, first, longest, FORGOTTEN_AFTER_MS],
    );
  }

  /** A probe has found that WhatsApp accepts this version of the client. */
  async versionAccepted(): Promise<void> {
    await this.#redis.del(this.#breaker);
  }

  /** A probe ended before WhatsApp said anything of the version. */
  async probeFailed(): Promise<void> {
    await endProbe.run(this.#redis, [this.#breaker], [NEXT_PROBE_MS]);
  }
}
