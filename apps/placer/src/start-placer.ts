import { randomUUID } from 'node:crypto';
import { PlacementQueue, Placer, Sweeps } from '@wafleet/placement';
import { type AppContext, startHealthServer } from '@wafleet/runtime';
import {
  ClientVersions,
  CommandClient,
  connectRedis,
  Ownership,
  type RedisRole,
  requireRedis,
  SessionDirectory,
  SessionIndex,
  SharedWriteProbe,
  WorkerFailureDetector,
  WorkerRegistry,
} from '@wafleet/store';
import { VersionChecks } from './client-version/version-checks.js';
import { versionPageOf } from './client-version/version-page.js';
import type { PlacerEnvironment } from './env.js';
import { addPlacerMetrics } from './metrics.js';

/** Milliseconds between two sweeps of a kind. */
const SWEEP_EVERY = { 'watch-workers': 500, reconcile: 15_000 };
/** Longer than the requests at work can take: a few workers' answers. */
const PLACER_STOP_MS = 30_000;
/** One command to Redis, which may be out of reach. */
const COMMANDS_STOP_MS = 3_000;
/** Longer than a look at WhatsApp's page. */
const VERSION_CHECKS_STOP_MS = 15_000;

/**
 * Starts the parts of a placer process: first what others depend on, last what takes work. A stop goes the other way,
 * so it ends with nothing half done.
 * @throws {StartError}
 */
export async function startPlacer(context: AppContext<PlacerEnvironment>): Promise<{ healthPort: number }> {
  const { environment: env, logger, lifecycle, metrics } = context;
  const id = `placer_${randomUUID()}`;
  const connect = (role: RedisRole) => {
    const connection = connectRedis({ url: env.REDIS_URL, role, name: id, logger });
    lifecycle.onStop(`Redis connection (${role})`, () => connection.disconnect());
    return connection;
  };

  const redis = connect('command');
  await requireRedis(redis, env.REDIS_URL, logger);
  const connection = connect('queue');
  const sessions = new SessionDirectory(redis, { logger });
  const workers = new WorkerRegistry(redis, { logger });

  const writable = new SharedWriteProbe(redis);
  const health = await startHealthServer({
    host: env.HOST,
    port: env.HEALTH_PORT,
    metrics,
    readiness: async () => {
      if (lifecycle.isStopping) return { ready: false, reason: 'stopping' };
      const writes = await writable.ask();
      return writes.writable ? { ready: true } : { ready: false, reason: writes.reason };
    },
  });
  lifecycle.onStop('health', () => health.close());

  const commands = new CommandClient({ redis, subscriber: connect('subscriber'), clientId: id, logger });
  await commands.start();
  lifecycle.onStop('commands', () => commands.stop(), { timeoutMs: COMMANDS_STOP_MS });

  const placements = new PlacementQueue({ connection, logger });
  lifecycle.onStop('placement queue', () => placements.close());

  const placer = new Placer({
    connection,
    sessions,
    workers,
    commands,
    logger,
    placementsPerSecond: env.PLACEMENTS_PER_SECOND,
  });
  await placer.start();
  lifecycle.onStop('placements', () => placer.stop(), { timeoutMs: PLACER_STOP_MS });

  const deaths = new WorkerFailureDetector(redis);
  const sweeps = new Sweeps({
    ...{
      connection,
      sessions,
      ownership: new Ownership(redis, { logger }),
      index: new SessionIndex(redis, { logger }),
      workers,
      deaths,
      placements,
      logger,
    },
    every: { ...SWEEP_EVERY, rebalance: env.REBALANCE_EVERY_MS },
  });
  await sweeps.start();
  lifecycle.onStop('sweeps', () => sweeps.stop());

  const checks = new VersionChecks({
    versions: new ClientVersions(redis),
    page: versionPageOf(env.WHATSAPP_URL),
    everyMs: env.VERSION_CHECK_EVERY_MS,
    logger,
  });
  addPlacerMetrics(metrics, checks);
  checks.start();
  lifecycle.onStop('version checks', () => checks.stop(), { timeoutMs: VERSION_CHECKS_STOP_MS });

  logger.info({ id, healthPort: health.port }, 'the placer runs');
  return { healthPort: health.port };
}
