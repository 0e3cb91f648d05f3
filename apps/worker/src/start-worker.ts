import { hostname } from 'node:os';
import { AddressRules } from '@wafleet/egress';
import { type AppContext, startHealthServer } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import {
  Cipher,
  connectRedis,
  parseTenantLimits,
  requireRedis,
  SharedWriteProbe,
  verifyEncryptionKey,
} from '@wafleet/store';
import type { WorkerEnvironment } from './env.js';
import { addWorkerMetrics } from './metrics.js';
import { readRelease } from './sessions/release.js';
import { Worker } from './worker.js';

/**
 * The time that a worker needs after its sessions are handed over, or given up: to answer commands, to end its lease.
 */
const AFTER_DRAIN_MS = 10_000;

/**
 * Starts a worker process: checks Redis and the key, serves health, and then takes sessions. A stop first hands the
 * sessions over, then gives the lease back.
 * @throws {StartError}
 */
export async function startWorker(
  context: AppContext<WorkerEnvironment>,
): Promise<{ worker: Worker; healthPort: number }> {
  const { environment: env, logger, lifecycle, metrics } = context;
  const cipher = Cipher.fromHexKeys(env.ENCRYPTION_KEY);
  quietLibsignal();
  installPatches();
  if (env.WHATSAPP_ROOT_KEY !== undefined) trustRootKey(env.WHATSAPP_ROOT_KEY);

  const redis = connectRedis({ url: env.REDIS_URL, role: 'command', name: 'worker_health', logger });
  lifecycle.onStop('Redis connection', () => redis.disconnect());
  await requireRedis(redis, env.REDIS_URL, logger);
  await verifyEncryptionKey(redis, cipher);

  const worker = new Worker({
    connect: (role, name) => connectRedis({ url: env.REDIS_URL, role, name, logger }),
    cipher,
    whatsapp: { url: env.WHATSAPP_URL },
    proxyRules: AddressRules.parse(env.PROXY_ALLOW),
    capacity: env.WORKER_CAPACITY,
    eventLog: {
      maxLength: env.EVENT_LOG_LENGTH,
      maxAgeMs: env.EVENT_LOG_MAX_AGE * 1000,
      ...parseTenantLimits(env.TENANT_LIMITS),
    },
    connectsPerSecond: env.CONNECTS_PER_SECOND,
    pinnedVersion: env.WHATSAPP_VERSION,
    versionTrialMs: env.VERSION_TRIAL_MS,
    release: env.RELEASE ?? readRelease(),
    host: hostname(),
    identity: env.WORKER_ID,
    logger,
  });
  addWorkerMetrics(metrics, worker);
  const writable = new SharedWriteProbe(redis);
  const health = await startHealthServer({
    host: env.HOST,
    port: env.HEALTH_PORT,
    metrics,
    readiness: async () => {
      if (lifecycle.isStopping) return { ready: false, reason: 'stopping' };
      const writes = await writable.ask();
      if (!writes.writable) return { ready: false, reason: writes.reason };
      return worker.isLeased ? { ready: true } : { ready: false, reason: 'the lease is not held' };
    },
  });
  lifecycle.onStop('health', () => health.close());

  await worker.start();
  const timeoutMs = env.DRAIN_TIMEOUT_MS;
  lifecycle.onStop('sessions', () => worker.stop({ timeoutMs }), { timeoutMs: timeoutMs + AFTER_DRAIN_MS });
  logger.info({ workerId: worker.id, healthPort: health.port }, 'the worker runs');
  return { worker, healthPort: health.port };
}
