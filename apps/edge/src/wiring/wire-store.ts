import { PlacementQueue } from '@wafleet/placement';
import {
  ApiKeys,
  CommandClient,
  connectRedis,
  EventLog,
  JobRuns,
  JobWakeUps,
  LinkOffers,
  MessageJobs,
  PasskeyLinks,
  type RedisConnection,
  type RedisRole,
  ResumeRecords,
  requireRedis,
  SessionDirectory,
  SessionPages,
  SessionSettingsRecords,
  TenantLeases,
  TenantLimitTable,
  TenantRates,
  WorkerRegistry,
  WrongGuesses,
} from '@wafleet/store';
import type { EdgeOptions } from './edge-options.js';

/** Minimum time for which an absent client is remembered, even if the log keeps what it missed for a shorter time. */
const REMEMBER_AT_LEAST_MS = 24 * 60 * 60 * 1000;

/** What the parts of an edge share of Redis. */
export type EdgeStore = Awaited<ReturnType<typeof wireStore>>;

/**
 * Connects to Redis. When the edge stops, commands under way are given up and the connections are closed.
 * @throws {StartError} if Redis cannot be reached.
 */
export async function wireStore(options: EdgeOptions) {
  const { edgeId, redisUrl, logger, lifecycle } = options;
  const connect = (role: RedisRole, purpose: string): RedisConnection => {
    const connection = connectRedis({ url: redisUrl, role, name: `${edgeId}:${purpose}`, logger });
    lifecycle.onStop(`redis ${purpose}`, () => connection.disconnect());
    return connection;
  };
  const redis = connect('command', 'commands');
  await requireRedis(redis, redisUrl, logger);
  const subscriber = connect('subscriber', 'events');
  const adapterSubscriber = connect('subscriber', 'adapter');
  const queueConnection = connect('command', 'queue');

  const placement = new PlacementQueue({ connection: queueConnection, logger });
  lifecycle.onStop('placement queue', () => placement.close());
  const limits = new TenantLimitTable(redis, options.tenantLimits, { logger });
  const client = new CommandClient({ redis, subscriber, clientId: edgeId, limits, logger });
  await client.start();
  lifecycle.onStop('commands', () => client.stop());

  const leases = new TenantLeases({ redis, limits, holder: edgeId, logger });
  lifecycle.onStop('leases of tenants', () => leases.close());
  const sessions = new SessionDirectory(redis, { logger });
  const wakeUps = new JobWakeUps(redis);
  return {
    redis,
    /** Receives events and the answers of workers. */
    subscriber,
    /** Receives what other edges send through the adapter. */
    adapterSubscriber,
    placement,
    /** The limits of tenants. */
    limits,
    client,
    rates: new TenantRates(redis, limits),
    leases,
    jobs: new MessageJobs(redis, { limits: limits.defaults, wakeUps }),
    jobRuns: new JobRuns(redis),
    wakeUps,
    apiKeys: new ApiKeys(redis, { logger }),
    sessions,
    pages: new SessionPages(redis, sessions),
    settings: new SessionSettingsRecords(redis, { logger }),
    workers: new WorkerRegistry(redis, { logger }),
    guesses: new WrongGuesses(redis),
    offers: new LinkOffers(redis),
    passkeyLinks: new PasskeyLinks(redis),
    log: new EventLog(redis),
    records: new ResumeRecords(redis, {
      lifeMs: Math.max(options.eventLogMaxAgeMs, REMEMBER_AT_LEAST_MS),
      limits: limits.defaults,
      logger,
    }),
  };
}
