import { type Cluster, listSessions, startCluster, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { report } from '../support/report.js';

/** Placers share their work without a leader, and workers claim without a lock. */
const SESSIONS = 200;
const CREATED_AT_ONCE = 20;

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.stop();
});

test('two placers and three workers share two hundred sessions: each owned once, the loads about even', async () => {
  cluster = await startCluster({
    placers: 2,
    workers: 3,
    environment: { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '10', REBALANCE_EVERY_MS: '0' },
  });
  const { client } = await cluster.addTenant();
  const startedAt = performance.now();
  const names = Array.from({ length: SESSIONS }, (_, index) => `s${index}`).values();
  const createAll = async () => {
    for (const id of names) await client.call('create-session', { body: { id } });
  };
  await Promise.all(Array.from({ length: CREATED_AT_ONCE }, createAll));
  const placed = async () => {
    const sessions = await listSessions(client);
    return sessions.length === SESSIONS && sessions.every(({ worker }) => worker !== undefined) && sessions;
  };
  const sessions = await waitFor(placed, {
    what: 'every session with a worker',
    timeoutMs: 60_000,
    intervalMs: 200,
  });
  const placedMs = Math.round(performance.now() - startedAt);

  const loads = new Map<string | undefined, number>();
  for (const { worker } of sessions) loads.set(worker, (loads.get(worker) ?? 0) + 1);
  report('placers-race', { sessions: SESSIONS, placedMs, loads: [...loads.values()].join('/') });
  expect(loads.size).toBe(3);
  const [most, least] = [Math.max(...loads.values()), Math.min(...loads.values())];
  expect((most - least) / most).toBeLessThanOrEqual(0.2);

  // Each session connects once: if two workers had the same session, two clients would wait to be linked.
  const { gate } = cluster.simulator;
  await waitFor(() => [...gate.registering].length >= SESSIONS, {
    what: 'every session connects',
    timeoutMs: 60_000,
  });
  await waitFor(async () => (await listSessions(client)).every(({ status }) => status === 'awaiting_link'), {
    what: 'every session shows a QR code',
    timeoutMs: 60_000,
    intervalMs: 200,
  });
  expect([...gate.registering]).toHaveLength(SESSIONS);
});
