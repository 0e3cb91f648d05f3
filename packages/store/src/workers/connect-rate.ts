import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** How long a client version that WhatsApp refused does not connect: first this long, then twice as long each time. */
const PAUSE_MS = { first: 30_000, longest: 1_800_000 };
/** How long a probe may take: a connect, which has a minute, and the way there and back. */
const PROBE_MS = 75_000;
const NEXT_PROBE_MS = 5_000;
/** How long a breaker stays without a probe. After this time no worker uses its version any more. */
const FORGOTTEN_AFTER_MS = 86_400_000;

/** The share of the bucket that is reserved for connects that a person waits for. */
const RESERVE = 0.25;

export interface ConnectDemand {
  /** Connects that a person waits for, to link a phone. */
  readonly urgent: number;
  readonly others: number;
}

export interface ConnectGrant extends ConnectDemand {
  /** ms after which a retry may succeed. An earlier retry does not. */
  readonly waitMs: number;
  /**
   * `closed`: as far as is known, WhatsApp accepts this version of the client. `open`: it does not, and no worker with
   * this version connects. `probe`: one connect was granted, to find out whether WhatsApp still refuses the version.
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
 * Limits how fast all workers together connect to WhatsApp, by a token bucket in Redis and the clock of Redis. In any
 * time t (in seconds) at most `perSecond * (1 + t)` connects are granted. A quarter of them is reserved for connects
 * that a person waits for. Granted but unused connects are lost.
 *
 * Also has a breaker for each version of the client. One refusal of a version opens the breaker for all workers with
 * that version. Workers with a newer version are not affected.
 */
export class ConnectRate {
  /** The version of the client that the workers report. */
  readonly clientVersion: string;
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
    this.clientVersion = options.clientVersion;
    this.#breaker = keys.connectBreaker(options.clientVersion);
    this.#pauseMs = options.pauseMs ?? PAUSE_MS;
  }

  /** Takes the available tokens, at most the wanted number. */
  take({ urgent, others }: ConnectDemand): Promise<ConnectGrant> {
    const reserve = Math.floor(this.#perSecond * RESERVE);
    return takeConnects.run(
      this.#redis,
      [keys.connectBucket, this.#breaker],
      [urgent, others, this.#perSecond, reserve, PROBE_MS],
    );
  }

  /** Call it when WhatsApp has refused this version of the client: no worker with this version connects for a while. */
  async versionRefused({ wasProbe }: { wasProbe: boolean }): Promise<void> {
    const { first, longest } = this.#pauseMs;
    await openBreaker.run(
      this.#redis,
      [this.#breaker],
      [wasProbe ? 1 : 0, first, longest, FORGOTTEN_AFTER_MS],
    );
  }

  /** Call it when a probe has found that WhatsApp accepts this version of the client. */
  async versionAccepted(): Promise<void> {
    await this.#redis.del(this.#breaker);
  }

  /** Call it when a probe ended without a verdict of WhatsApp on the version. */
  async probeFailed(): Promise<void> {
    await endProbe.run(this.#redis, [this.#breaker], [NEXT_PROBE_MS]);
  }
}
