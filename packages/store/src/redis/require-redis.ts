import { type Logger, parseRedisUrl, StartError, withoutCredentials, withTimeout } from '@wafleet/runtime';
import { type RedisConnection, reasonOf } from './connection.js';
import { firstWords } from './first-words.js';
import { refusalOf } from './redis-refusal.js';
import { probeWrites } from './write-probe.js';

const ANSWER_TIMEOUT_MS = 5_000;
/** If everything on a machine starts at once, Redis or this process may be delayed for seconds. */
const TRIES = 3;
const OLDEST_MAJOR_VERSION = 7;
/** A Redis this full is about to refuse writes. */
const NEARLY_FULL = 0.9;

/** Redis did not answer in time. */
class NoAnswerError extends Error {}

/**
 * Verifies before a process starts that Redis answers, accepts writes and has the required version. Warns of settings
 * that would lose state: every key here is state, and none is a cache.
 * @throws {StartError} if Redis cannot be reached, does not answer within 15 s, refuses writes or is older than version
 * 7. The error names the cause.
 */
export async function requireRedis(connection: RedisConnection, url: string, logger: Logger): Promise<void> {
  const where = withoutCredentials(url);
  const info = await readInfo(connection, url);
  const version = infoField(info, 'redis_version') ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR_VERSION)) {
    throw new StartError(
      `Redis at ${where} is version ${version}; version ${OLDEST_MAJOR_VERSION} or newer is needed.`,
    );
  }
  const writes = await probeWrites(connection, ANSWER_TIMEOUT_MS);
  if (!writes.writable) throw new StartError(`Redis at ${where} takes no writes: ${writes.reason}.`);
  warnOf(info, logger);
}

async function readInfo(connection: RedisConnection, url: string): Promise<string> {
  // More specific than the command's own error, which is only a timeout.
  let connectError: Error | undefined;
  const noteError = (error: Error) => {
    connectError = error;
  };
  connection.on('error', noteError);
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        const info = connection.info();
        if (await withTimeout(info, ANSWER_TIMEOUT_MS)) return await info;
        throw new NoAnswerError(`no answer within ${ANSWER_TIMEOUT_MS} ms`);
      } catch (error) {
        const cause = connectError ?? error;
        if (tries < TRIES && isSilence(cause)) continue;
        const reason = (await refusalAt(url)) ?? refusalOf(cause) ?? reasonOf(cause);
        throw new StartError(
          `cannot reach Redis at ${withoutCredentials(url)} (${reason}); start it or set REDIS_URL.`,
          { cause: error },
        );
      }
    }
  } finally {
    connection.off('error', noteError);
  }
}

/** Whether an error says only that an answer did not come in time: errors of a connection have a code. */
function isSilence(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true;
  return error instanceof Error && /time(d )?out/i.test(error.message) && !('code' in error);
}

/** The refusal of a server that closes new connections, such as one in protected mode. Undefined if there is none. */
async function refusalAt(url: string): Promise<string | undefined> {
  const address = parseRedisUrl(url);
  if (address.kind !== 'server') return undefined;
  const { protocol, hostname, port } = new URL(address.url);
  if (protocol !== 'redis:') return undefined;
  const words = await firstWords(hostname.replace(/^\[|\]$/g, ''), Number(port || 6379));
  const refusal = words?.startsWith('-') ? refusalOf(new Error(words.slice(1))) : undefined;
  return words?.startsWith('-NOAUTH') ? undefined : refusal;
}

function warnOf(info: string, logger: Logger): void {
  const policy = infoField(info, 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    logger.warn(
      { policy },
      'Redis may evict keys and with them sessions; set its maxmemory-policy to noeviction',
    );
  }
  if (infoField(info, 'aof_enabled') === '0') {
    logger.warn(
      'Redis has no append-only file: its restart may lose sessions and events; set appendonly to yes',
    );
  }
  const [used, most] = ['used_memory', 'maxmemory'].map((field) => Number(infoField(info, field) ?? 0));
  if (used !== undefined && most !== undefined && most > 0 && used > most * NEARLY_FULL) {
    logger.warn(
      { usedBytes: used, maxBytes: most },
      'Redis has used most of its memory; raise its maxmemory',
    );
  }
}

function infoField(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
