import { chosenBackend, startServer, type TestRedis } from './start-redis.js';
import { waitFor } from './wait-for.js';

/** A primary, a replica, and three sentinels that promote the replica when the primary is gone. */
export interface ReplicatedRedis {
  /** `redis+sentinel://…`: connects to the current primary. */
  readonly url: string;
  /** The initial primary. After `restart` it is alone until the sentinels make it a replica. */
  readonly primary: TestRedis;
  /** The initial replica. */
  readonly replica: TestRedis;
  readonly sentinels: readonly TestRedis[];
  /** Freezes the replica in its current state. Later writes reach only the primary. */
  stopReplication(): Promise<void>;
  /** Kills the primary. Resolves when all sentinels regard the replica as the primary. */
  failOver(): Promise<void>;
  /** Stops all of them and removes their data. */
  stop(): Promise<void>;
}

/** The name of the group in the sentinels' configuration. */
const NAME = 'wafleet';
const SENTINELS = 3;
const DOWN_AFTER_MS = 1_500;
const FAILOVER_TIMEOUT_MS = 10_000;
const FORMATION_TIMEOUT_MS = 60_000;
/** Enough for several attempts. */
const ELECTION_TIMEOUT_MS = 120_000;

/**
 * Starts them, empty, on free ports. Resolves when the replica is in sync and every sentinel knows all others.
 *
 * They address each other by ports of 127.0.0.1, which containers do not share. So TEST_REDIS must not be `docker`,
 * and the machine needs a Redis program, or apt-get to fetch one. Rejects otherwise.
 */
export async function startReplicatedRedis(): Promise<ReplicatedRedis> {
  if (chosenBackend() === 'docker') {
    throw new Error(
      'A replicated Redis needs a Redis program of this machine: set TEST_REDIS to auto or local.',
    );
  }
  const started: TestRedis[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const start = async (kind: Parameters<typeof startServer>[0]) => {
    const server = await startServer({ ...kind, backend: 'local' });
    started.push(server);
    return server;
  };
  try {
    const primary = await start({ appendOnly: true });
    const replica = await start({ appendOnly: true });
    await replica.command('REPLICAOF', '127.0.0.1', String(primary.port));
    await waitFor(
      async () => (await replica.command('INFO', 'replication')).includes('master_link_status:up'),
      {
        what: 'the replica connected',
        timeoutMs: FORMATION_TIMEOUT_MS,
      },
    );
    const duty = {
      name: NAME,
      primaryPort: primary.port,
      quorum: 2,
      downAfterMs: DOWN_AFTER_MS,
      failoverTimeoutMs: FAILOVER_TIMEOUT_MS,
    };
    const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => start({ sentinel: duty })));
    await waitFor(() => allAcquainted(sentinels), {
      what: 'sentinels that know the replica and each other',
      timeoutMs: FORMATION_TIMEOUT_MS,
      intervalMs: 100,
    });
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return {
      url: `redis+sentinel://${hosts}/${NAME}`,
      primary,
      replica,
      sentinels,
      stopReplication: () => stopReplication(primary, replica),
      failOver: () => failOver(primary, replica, sentinels),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function allAcquainted(sentinels: readonly TestRedis[]): Promise<boolean> {
  const infos = await Promise.all(sentinels.map((sentinel) => sentinel.command('INFO', 'sentinel')));
  return infos.every(
    (info) => info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`),
  );
}

async function stopReplication(primary: TestRedis, replica: TestRedis): Promise<void> {
  const written = await offset(primary, 'master_repl_offset');
  await waitFor(async () => (await offset(replica, 'slave_repl_offset')) >= written, {
    what: 'the replica up to date',
  });
  // Frozen, not only disconnected: a replica is never elected if it has been without its primary for ten times the
  // `down-after` time, and on a busy machine a test may take that long in between.
  replica.pause();
  await primary.command('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** A server's replication offset. */
async function offset(server: TestRedis, field: string): Promise<number> {
  const info = await server.command('INFO', 'replication');
  const value = new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1];
  if (value === undefined) throw new Error(`no ${field} in ${info}`);
  return Number(value);
}

async function failOver(
  primary: TestRedis,
  replica: TestRedis,
  sentinels: readonly TestRedis[],
): Promise<void> {
  await primary.kill();
  replica.resume();
  const isElected = async () => {
    const answers = await Promise.all(
      sentinels.map((sentinel) => sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)),
    );
    return answers.every((answer) => answer.includes(`\r\n${replica.port}\r\n`));
  };
  await waitFor(isElected, { what: 'the replica elected', timeoutMs: ELECTION_TIMEOUT_MS, intervalMs: 50 });
}
