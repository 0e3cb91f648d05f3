import { type Logger, parseRedisUrl, StartError, withoutCredentials } from '@wafleet/runtime';
import type { Redis, RedisOptions } from 'ioredis';
import { ReconnectingRedis } from './reconnecting-redis.js';
import { sentinelOptions } from './sentinel-connector.js';

export type RedisConnection = Redis;

/**
 * What a connection is for.
 * `command`: short commands; each fails after at most 5 s when Redis is out of reach.
 * `blocking`: waits inside Redis for its one reader; never shared.
 * `subscriber`: receives channels; subscribes again by itself after a reconnect.
 * `lifeline`: shows by its being open that the process lives; forgets its subscriptions when it breaks.
 * `queue`: for BullMQ, which does its own retrying and wants commands to wait for ever.
 */
export type RedisRole = 'command' | 'blocking' | 'subscriber' | 'lifeline' | 'queue';

const COMMAND_TIMEOUT_MS = 5_000;
/** Longer than any BLOCK a reader of ours asks for. */
const SILENCE_MS = 15_000;
const PING_TIMEOUT_MS = 5_000;
const OLDEST_MAJOR_VERSION = 7;

type RoleOptions = Pick<
  RedisOptions,
  'autoResubscribe' | 'commandTimeout' | 'enableReadyCheck' | 'maxRetriesPerRequest' | 'socketTimeout'
>;

const optionsOfRole: Readonly<Record<RedisRole, RoleOptions>> = {
  // Reconnects come after 50, 100, 200, 400, 800 ms and every second, so eight of them take about as long as the
  // timeout: what waited is given up then, and does not run long after its caller was told that it failed.
  command: { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 8, socketTimeout: COMMAND_TIMEOUT_MS },
  blocking: { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS },
  subscriber: { maxRetriesPerRequest: null, enableReadyCheck: false },
  lifeline: { maxRetriesPerRequest: null, enableReadyCheck: false, autoResubscribe: false },
  queue: { maxRetriesPerRequest: null },
};

/**
 * Opens a connection to Redis; the only place that does. It reconnects for ever, with a pause of at most a second.
 * An outage is logged once when it begins and once when it ends, and never ends the process. The connection is
 * named `name` in CLIENT LIST, which takes no spaces. Ends with `disconnect()` or `quit()`.
 * @param options.url in a form of `parseRedisUrl`. By sentinels, the connection leads to whichever server is primary.
 * @throws {RedisUrlError}
 */
export function connectRedis(options: {
  url: string;
  role: RedisRole;
  name: string;
  logger: Logger;
}): RedisConnection {
  const { url, role, name, logger } = options;
  const redisOptions = {
    connectionName: name,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    retryStrategy: (attempt: number) => Math.min(25 * 2 ** Math.min(attempt, 10), 1_000),
    // After a failover the old primary answers READONLY: connect anew, which finds the new one, and send again.
    reconnectOnError: (error: Error): 2 | false => (error.message.startsWith('READONLY') ? 2 : false),
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

/** Node's error for a host of several addresses has a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  return withoutCredentials(error.message || code);
}

function infoField(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

async function answerWithin<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes sure before a process starts that Redis answers and can do what is asked of it. Warns when Redis may evict
 * keys, since every key here is state and none is a cache.
 * @throws {StartError} when Redis does not answer within 5 s or is older than version 7.
 */
export async function requireRedis(connection: RedisConnection, url: string, logger: Logger): Promise<void> {
  const where = withoutCredentials(url);
  let info: string;
  // Tells more than the error of the command, which only says that it waited in vain.
  let connectError: Error | undefined;
  const noteError = (error: Error) => {
    connectError = error;
  };
  connection.on('error', noteError);
  try {
    info = await answerWithin(PING_TIMEOUT_MS, connection.info());
  } catch (error) {
    const reason = reasonOf(connectError ?? error);
    throw new StartError(`cannot reach Redis at ${where} (${reason}); start it or set REDIS_URL.`, {
      cause: error,
    });
  } finally {
    connection.off('error', noteError);
  }
  const version = infoField(info, 'redis_version') ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR_VERSION)) {
    throw new StartError(
      `Redis at ${where} is version ${version}; version ${OLDEST_MAJOR_VERSION} or newer is needed.`,
    );
  }
  const policy = infoField(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    logger.warn(
      { policy },
      'Redis may evict keys and with them sessions; set its maxmemory-policy to noeviction',
    );
  }
}
