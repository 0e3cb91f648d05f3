import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import { Simulator } from '@wafleet/simulator';
import {
  Cipher,
  connectRedis,
  EVENT_LOG_BOUNDS,
  SessionDirectory,
  TenantDirectory,
  WorkerRegistry,
} from '@wafleet/store';
import { startRedis } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { OwnedSessions } from './owned-sessions.js';

/** Less than it takes to wait for one claim that does not come. */
const DRAIN_MS = 6_000;

test('a worker that drains while all others are full releases its sessions in time for a later one', async () => {
  quietLibsignal();
  installPatches();
  const simulator = new Simulator();
  const [server] = await Promise.all([startRedis(), simulator.start()]);
  trustRootKey(simulator.rootKey);
  const logger = createLogger({ app: 'worker-test', level: 'silent' });
  const redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  try {
    const full = { id: 'wrk_full', host: 'test', release: '1.0.0', capacity: 1, sessions: 1 };
    const workers = new WorkerRegistry(redis);
    await workers.acquireLease(full.id);
    await workers.beat({ ...full, draining: false, idlest: [], lifeline: undefined });
    const { id: tenantId } = await new TenantDirectory(redis).create('Acme');
    const ref = { tenantId, sessionId: 'session' };
    const directory = new SessionDirectory(redis);
    await directory.create(ref);
    const sessions = new OwnedSessions({
      redis,
      cipher: Cipher.fromHexKeys(randomBytes(32).toString('hex')),
      worker: 'wrk_a',
      whatsapp: { url: simulator.url },
      capacity: 1,
      eventLog: { maxLength: 1_000, maxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs },
      connectsPerSecond: 1_000,
      isOwnershipCertain: () => true,
      logger,
    });
    await sessions.assign(ref, undefined);
    await sessions.drain(DRAIN_MS);
    const { status, worker } = await directory.require(ref);
    expect({ status, worker }).toEqual({ status: 'queued', worker: undefined });
  } finally {
    redis.disconnect();
    await Promise.all([simulator.stop(), server.stop()]);
  }
});
