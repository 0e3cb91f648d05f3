import { backoff, type Logger, parseRedisUrl, withoutCredentials } from '@wafleet/runtime';
import type { Redis, RedisOptions } from 'ioredis';
import { ReadOnlyPacing } from './read-only-pacing.js';
import { ReconnectingRedis } from './reconnecting-redis.js';
import { refusalOf } from './redis-refusal.js';
import { sentinelOptions } from './sentinel-connector.js';

export type RedisConnection = Redis;

/**
 * What a connection is for.
 * `command`: short commands; each fails after at most 5 s when Redis is out of reach.
 * `blocking`: waits inside Redis for its one reader; never shared.
 * `subscriber`: receives channels; subscribes again by itself after a reconnect.
 * `lifeline`: while it is open, the process lives; it forgets its subscriptions when it breaks.
 * `queue`: for BullMQ, which does its own retrying and needs commands that wait indefinitely.
 */
export type RedisRole = 'command' | 'blocking' | 'subscriber' | 'lifeline' | 'queue';

const reconnectWaitMs = backoff({ baseMs: 50, capMs: 1_000 });
const COMMAND_TIMEOUT_MS = 5_000;
/** Longer than any BLOCK that our readers use. */
const SILENCE_MS = 15_000;

type RoleOptions = Pick<
  RedisOptions,
  'autoResubscribe' | 'commandTimeout' | 'enableReadyCheck' | 'maxRetriesPerRequest' | 'socketTimeout'
>;

const optionsOfRole: Readonly<Record<RedisRole, RoleOptions>> = {
  // Reconnects come after 50, 100, 200, 400, 800 ms and then every second, so eight of them take about as long as the
  // timeout. Waiting commands are then dropped, so that none runs long after its caller received the failure.
  command: { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 8, socketTimeout: COMMAND_TIMEOUT_MS },
  blocking: { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS },
  subscriber: { maxRetriesPerRequest: null, enableReadyCheck: false },
  lifeline: { maxRetriesPerRequest: null, enableReadyCheck: false, autoResubscribe: false },
  queue: { maxRetriesPerRequest: null },
};

/**
 * Opens a connection to Redis; no other code does. The connection reconnects forever, with a pause of at most a second.
 * An outage is logged once when it begins and once when it ends, and never ends the process. The connection is
 * named `name` in CLIENT LIST, so `name` must not contain spaces. Close it with `disconnect()` or `quit()`.
 * @param options.url in a form that `parseRedisUrl` accepts. With sentinels, the connection leads to the current
 * primary.
 * @throws {RedisUrlError}
 */
export function connectRedis(options: {
  url: string;
  role: RedisRole;
  name: string;
  logger: Logger;
}): RedisConnection {
  const { url, role, name, logger } = options;
  const readOnly = new ReadOnlyPacing();
  const redisOptions = {
    connectionName: name,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    // ioredis counts attempts from 1.
    retryStrategy: (attempt: number) => readOnly.delayMs ?? reconnectWaitMs(attempt - 1),
    reconnectOnError: (error: Error) => {
      if (!error.message.startsWith('READONLY')) return false;
      if (readOnly.begins)
        logger.warn({ connection: name, role, reason: refusalOf(error) }, 'Redis refuses writes');
      return readOnly.react();
    },
    ...optionsOfRole[role],
  } satisfies RedisOptions;
  const address = parseRedisUrl(url);
  const connection =
    address.kind === 'server'
      ? new ReconnectingRedis(address.url, redisOptions)
      : new ReconnectingRedis({ ...redisOptions, ...sentinelOptions(address, name) });
  let outage = false;
  connection.on('error', (error: Error) => {
    if (outage) return;
    outage = true;
    logger.warn({ connection: name, role, reason: reasonOf(error) }, 'Redis is out of reach');
  });
  connection.on('ready', () => {
    if (outage) logger.info({ connection: name, role }, 'Redis is back');
    outage = false;
  });
  return connection;
}

/** The error's text, without credentials. Node's error for a host with several addresses has a code but no message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  return withoutCredentials(error.message || code);
}
