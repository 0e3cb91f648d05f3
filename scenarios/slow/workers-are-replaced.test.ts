import { type Cluster, listSessions, startCluster } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { inConflict, linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { movesOf } from '../support/moves.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/** A rolling replacement: for each worker a worker of the new release starts, then the old one is asked to stop. */
const SESSIONS = 10;

let cluster: Cluster | undefined;
let traffic: Traffic | undefined;

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
});

test('every worker is replaced by one of a newer release, and sessions move at most twice and lose nothing', async () => {
  cluster = await startCluster({ workers: 2, environment: { RELEASE: '1.9.0' } });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  traffic = await Traffic.start({ cluster, tenant, sessions, everyMs: 1_000 });
  await traffic.flows();
  const owners = async () => new Set((await listSessions(tenant.client)).map(({ worker }) => worker));
  const oldOwners = await owners();

  const exits = [];
  for (const old of [...cluster.workers]) {
    await cluster.addWorker({ RELEASE: '1.10.0' });
    exits.push(await old.stop());
    await traffic.flows();
  }
  const { sent, duplicates, gaps } = await traffic.finish();
  const moves = movesOf(traffic.events);
  const counts = sessions.map(({ id }) => moves.get(id)?.length ?? 0);
  report('workers-are-replaced', {
    sessions: SESSIONS,
    movesMost: Math.max(...counts),
    awayMs: [...moves.values()].flat(),
    gapMs: gaps,
    sent,
    duplicates,
  });

  expect(exits).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  expect([...oldOwners]).not.toContain(undefined);
  const newOwners = await owners();
  expect([...newOwners].filter((worker) => worker === undefined || oldOwners.has(worker))).toEqual([]);
  for (const count of counts) {
    expect(count, 'moves of a session').toBeGreaterThanOrEqual(1);
    expect(count, 'moves of a session').toBeLessThanOrEqual(2);
  }
  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
  expect(traffic.events.payloads('auth.qr')).toEqual([]);
  expect(inConflict(sessions), 'sessions with two connections at a time').toEqual([]);
});
