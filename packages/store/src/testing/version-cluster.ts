import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { SessionRef } from '../redis/session-ref.js';
import { ClientVersions } from '../workers/client-versions.js';
import {
  type ConnectGrant,
  type ConnectPurpose,
  ConnectRate,
  type ConnectRateOptions,
  type ConnectReport,
} from '../workers/connect-rate.js';

/** The workers of a cluster, as far as they choose versions of the client. */
export class VersionCluster {
  rate: ConnectRate;
  readonly versions: ClientVersions;
  readonly #redis: RedisConnection;
  readonly #clientVersion: string;

  constructor(redis: RedisConnection, { clientVersion }: { clientVersion: string }) {
    this.#redis = redis;
    this.#clientVersion = clientVersion;
    this.versions = new ClientVersions(redis);
    this.rate = this.rateOf();
  }

  /** The rate of a worker that has other options than `rate`. */
  rateOf(options: Partial<ConnectRateOptions> = {}): ConnectRate {
    return new ConnectRate(this.#redis, {
      perSecond: 1_000,
      clientVersion: this.#clientVersion,
      trialMs: 60_000,
      ...options,
    });
  }

  /** These sessions wait, which were linked before. */
  take(mayTry: readonly SessionRef[]): Promise<ConnectGrant> {
    return this.rate.take({ urgent: 0, others: mayTry.length, mayTry });
  }

  report(
    version: string,
    purpose: ConnectPurpose,
    outcome: ConnectReport['outcome'],
    session?: SessionRef,
  ): Promise<string | undefined> {
    return this.rate.report({ version, purpose, outcome, session });
  }

  /** WhatsApp refuses a version that has worked, which counts once it has refused two sessions. */
  async refuse(version: string, first: SessionRef, second: SessionRef): Promise<string | undefined> {
    await this.report(version, 'normal', 'refused', first);
    return this.report(version, 'probe', 'refused', second);
  }

  /** Moves everything that is known of the versions into the past. */
  async pass(ms: number): Promise<void> {
    const shift = (value: unknown): unknown => {
      if (typeof value === 'number') return value > 1e12 ? value - ms : value;
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shift(each)]));
    };
    for (const [field, text] of Object.entries(await this.#redis.hgetall(keys.clientVersions))) {
      const isJson = text.startsWith('{') || /^\d+$/.test(text);
      if (isJson) {
        await this.#redis.hset(keys.clientVersions, field, JSON.stringify(shift(JSON.parse(text))));
      }
    }
  }

  /** Makes the pause of a refused version this long from now. */
  async closeFor(version: string, ms: number): Promise<void> {
    const text = (await this.#redis.hget(keys.clientVersions, version)) ?? '{}';
    const record = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    const changed = { ...record, closedUntil: Date.now() + ms };
    await this.#redis.hset(keys.clientVersions, version, JSON.stringify(changed));
  }

  async stateOf(version: string): Promise<string | undefined> {
    const view = await this.versions.view();
    return view.versions.find((each) => each.version === version)?.state;
  }
}
