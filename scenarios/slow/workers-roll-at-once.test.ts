import { type Cluster, collectEvents, type EventCollector, startCluster } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { inConflict, linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { movesOf } from '../support/moves.js';
import { report } from '../support/report.js';

/**
 * A Deployment with `maxSurge: 1` does not count terminating pods. It starts the next worker as soon as one is asked to
 * stop, and stops the next one as soon as the new one is ready. So all old workers are asked to stop within seconds.
 */
const WORKERS = 5;
const SESSIONS = 200;
const LOOK_MS = 25;

let cluster: Cluster | undefined;
let events: EventCollector | undefined;

afterEach(async () => {
  events?.close();
  await cluster?.stop();
});

test('workers that are all asked to stop within seconds drain one after the other', async () => {
  const environment = {
    CONNECTS_PER_SECOND: '100',
    PLACEMENTS_PER_SECOND: '100',
    DRAIN_TIMEOUT_MS: '50000',
  };
  cluster = await startCluster({ workers: WORKERS, environment: { ...environment, RELEASE: '1.9.0' } });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['connection.update', 'auth.qr']);
  const old = [...cluster.workers];

  let online = SESSIONS;
  const looking = setInterval(() => {
    const now = sessions.filter(({ phone, deviceId }) => phone.devices.get(deviceId)?.isOnline).length;
    online = Math.min(online, now);
  }, LOOK_MS);
  const startedAt = performance.now();
  try {
    const ends: Promise<unknown>[] = [];
    for (const worker of old) {
      await cluster.addWorker({ RELEASE: '1.10.0' });
      ends.push(worker.stop());
    }
    const askedMs = Math.round(performance.now() - startedAt);
    const exits = await Promise.all(ends);
    const moves = movesOf(events);
    const away = [...moves.values()].flat().sort((a, b) => a - b);
    report('workers-roll-at-once', {
      workers: WORKERS,
      sessions: SESSIONS,
      onlineAtTheLowest: online,
      askedWithinMs: askedMs,
      allMovedMs: Math.round(performance.now() - startedAt),
      awayMs: away,
    });
    expect(exits).toEqual(old.map(() => ({ code: 0, signal: null })));
    expect(online, 'sessions online at the lowest').toBeGreaterThanOrEqual(0.95 * SESSIONS);
    expect(sessions.map(({ id }) => moves.get(id)?.length ?? 0)).toEqual(sessions.map(() => 1));
    expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
    expect(events.payloads('auth.qr')).toEqual([]);
    expect(inConflict(sessions), 'sessions with two connections at a time').toEqual([]);
  } finally {
    clearInterval(looking);
  }
});
