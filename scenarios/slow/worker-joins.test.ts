import { type Cluster, listSessions, startCluster, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { conflictsIn, movesOf } from '../support/moves.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/** A second worker joins a loaded one. Sessions move to it under traffic until both have about half, and then stay. */
const SESSIONS = 12;

let cluster: Cluster | undefined;
let traffic: Traffic | undefined;

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
});

test('sessions move to a worker that joins, none twice, and nothing is lost', async () => {
  cluster = await startCluster({ workers: 1, environment: { REBALANCE_EVERY_MS: '2000' } });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  await tenant.client.call('create-session', { body: { id: 'linking' } });
  const linking = await waitForStatus(tenant.client, 'linking', 'awaiting_link');
  traffic = await Traffic.start({ cluster, tenant, sessions, everyMs: 1_000 });
  await traffic.flows();

  const joinedAt = performance.now();
  await cluster.addWorker();
  const loads = async () => {
    const open = (await listSessions(tenant.client)).filter(({ status }) => status === 'open');
    const workers = [...new Set(open.map(({ worker }) => worker))];
    return workers.map((id) => open.filter(({ worker }) => worker === id).length).sort((a, b) => a - b);
  };
  const even = async () => {
    const [fewer = 0, more = 0] = await loads();
    return fewer + more === SESSIONS && fewer >= 4;
  };
  await waitFor(even, { what: 'both workers with about half of the sessions', timeoutMs: 90_000 });
  const evenMs = Math.round(performance.now() - joinedAt);
  await traffic.flows(10);
  const { sent, duplicates, gaps } = await traffic.finish();
  const moves = movesOf(traffic.events);
  report('worker-joins', {
    sessions: SESSIONS,
    loads: (await loads()).join('/'),
    evenMs,
    awayMs: [...moves.values()].flat(),
    gapMs: gaps,
    sent,
    duplicates,
  });

  expect(await even()).toBe(true);
  for (const [id, times] of moves) expect(times.length, `moves of ${id}`).toBeLessThanOrEqual(1);
  expect(
    (await tenant.client.call('get-session', { params: { id: 'linking' } })).worker,
    'the session that is being linked',
  ).toBe(linking.worker);
  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
  expect(conflictsIn(traffic.events), 'connections that another one replaced').toBe(0);
});
