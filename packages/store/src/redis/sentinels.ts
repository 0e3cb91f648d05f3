import type { RedisSentinelAddress } from '@wafleet/runtime';
import { Redis } from 'ioredis';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const ANSWER_TIMEOUT_MS = 2_000;
const SWITCHES = '+switch-master';

interface Answer {
  /** Undefined if the sentinel knows no group of that name. */
  readonly primary: HostAndPort | undefined;
  /** Counts the failovers of the group. */
  readonly epoch: number;
}

/**
 * Connections to all sentinels of a group. They report the group's primary, and every switch to another one. ioredis'
 * own sentinel support does not suffice: it reports an outage of a sentinel only to the console, and ignores the name
 * of the group.
 * @see https://redis.io/docs/latest/develop/reference/sentinel-clients/
 */
export class Sentinels {
  readonly #primaryName: string;
  readonly #connections: readonly { readonly redis: Redis; readonly where: string; error?: Error }[];

  /** @param onSwitch receives the new primary, once from each sentinel. */
  constructor(address: RedisSentinelAddress, name: string, onSwitch: (primary: HostAndPort) => void) {
    this.#primaryName = address.primaryName;
    this.#connections = address.sentinels.map(({ host, port }) => {
      const redis = new Redis({
        host,
        port,
        ...(address.sentinelUsername === undefined ? {} : { username: address.sentinelUsername }),
        ...(address.sentinelPassword === undefined ? {} : { password: address.sentinelPassword }),
        connectionName: name,
        connectTimeout: ANSWER_TIMEOUT_MS,
        commandTimeout: ANSWER_TIMEOUT_MS,
        keepAlive: 10_000,
        enableReadyCheck: false,
        autoResubscribe: false,
        // A query fails at once. The connection keeps reconnecting, to receive later switches.
        maxRetriesPerRequest: 0,
        retryStrategy: () => 1_000,
      });
      const connection: { redis: Redis; where: string; error?: Error } = { redis, where: `${host}:${port}` };
      redis.on('error', (error: Error) => {
        connection.error = error;
      });
      redis.on('ready', () => {
        redis.subscribe(SWITCHES).catch((error: Error) => {
          connection.error = error;
        });
      });
      redis.on('message', (_channel: string, text: string) => {
        const [group, , , newHost, newPort] = text.split(' ');
        if (group === this.#primaryName && newHost !== undefined) {
          onSwitch({ host: newHost, port: Number(newPort) });
        }
      });
      return connection;
    });
  }

  /**
   * Returns the primary according to the sentinels that answer. If they differ, during a failover, the sentinel that
   * has seen the most failovers is right. Every later switch is reported to `onSwitch`.
   */
  async findPrimary(): Promise<HostAndPort> {
    const asked = await Promise.allSettled(this.#connections.map(({ redis }) => this.#ask(redis)));
    const answers = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (answers.length === 0) {
      const reasons = this.#connections.map(({ where, error }, index) => {
        const result = asked[index];
        const reason = error ?? (result?.status === 'rejected' ? result.reason : undefined);
        return `${where}: ${reason instanceof Error ? reason.message : 'no answer'}`;
      });
      throw new Error(`no sentinel answers: ${reasons.join(', ')}`);
    }
    const [best] = answers
      .filter(({ primary }) => primary !== undefined)
      .sort((one, other) => other.epoch - one.epoch);
    if (best?.primary === undefined) {
      throw new Error(`the sentinels know no primary named ${this.#primaryName}`);
    }
    return best.primary;
  }

  close(): void {
    for (const { redis } of this.#connections) redis.disconnect();
  }

  async #ask(redis: Redis): Promise<Answer> {
    // Subscribe before the query, so that no switch between the two is missed.
    await redis.subscribe(SWITCHES);
    const [primary, epoch] = await Promise.all([
      redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#primaryName),
      this.#epoch(redis),
    ]);
    if (!Array.isArray(primary)) return { primary: undefined, epoch };
    return { primary: { host: String(primary[0]), port: Number(primary[1]) }, epoch };
  }

  async #epoch(redis: Redis): Promise<number> {
    const fields: unknown = await redis.call('SENTINEL', 'MASTER', this.#primaryName).catch(() => []);
    if (!Array.isArray(fields)) return 0;
    return Number(fields[fields.indexOf('config-epoch') + 1]) || 0;
  }
}
