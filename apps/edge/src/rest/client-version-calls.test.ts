import { clientVersionsSchema } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  ClientVersions,
  ConnectRate,
  connectRedis,
  type RedisConnection,
  WorkerRegistry,
} from '@wafleet/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster();
const CURRENT = '2.3000.1043857760';
const NEWER = '2.3000.1052000000';

let redis: RedisConnection;

beforeAll(() => {
  const logger = createLogger({ app: 'test', level: 'silent' });
  redis = connectRedis({ url: fixture.cluster.redis.url, role: 'command', name: 'test', logger });
});

afterAll(() => redis.disconnect());

async function answer() {
  const { status, body } = await sendRequest(fixture.edge.url, 'GET /api/admin/client-version', {
    key: ADMIN_TOKEN,
  });
  expect(status).toBe(200);
  return clientVersionsSchema.parse(body);
}

test('the administrator sees which versions are known, used and refused, and no tenant does', async () => {
  expect(await answer()).toEqual({ versions: [], sessions: {}, check: {} });

  const rate = new ConnectRate(redis, { perSecond: 10, clientVersion: CURRENT });
  const versions = new ClientVersions(redis);
  const session = { tenantId: 'acme', sessionId: 'phone' };
  await rate.report({ version: CURRENT, purpose: 'normal', outcome: 'opened', session });
  await versions.noteCheck({ version: NEWER });
  await versions.noteCheck({ error: 'no answer' });
  await rate.take({ urgent: 0, others: 1, mayTry: [session] });
  await rate.report({ version: NEWER, purpose: 'trial', outcome: 'refused', session });
  const registry = new WorkerRegistry(redis);
  for (const id of ['wrk_one', 'wrk_two']) {
    await registry.acquireLease(id);
    const load = { host: 'test', release: '1.0.0', capacity: 10, sessions: 2, draining: false, idlest: [] };
    await registry.beat({ id, ...load, clientVersions: { [CURRENT]: 2 } });
  }
  const shown = await answer();
  expect(shown).toMatchObject({
    current: CURRENT,
    versions: [
      { version: NEWER, state: 'refused', tries: { all: 1, open: 0, failed: 1 }, refusedSessions: 1 },
      { version: CURRENT, state: 'worked' },
    ],
    sessions: { [CURRENT]: 4 },
    check: { error: 'no answer' },
  });
  expect(Date.parse(shown.versions[0]?.refusedUntil ?? '')).toBeGreaterThan(Date.now());
  expect(Date.parse(shown.check.at ?? '')).toBeGreaterThan(0);

  const { key } = await fixture.cluster.createTenant();
  expect(await sendRequest(fixture.edge.url, 'GET /api/admin/client-version', { key })).toMatchObject({
    status: 403,
  });
});
