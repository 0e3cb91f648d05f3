import { setTimeout as delay } from 'node:timers/promises';
import {
  type Cluster,
  metricOf,
  SeverablePort,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { CrowdProcess } from '../support/crowd-process.js';
import { EdgeWatch } from '../support/edge-watch.js';
import { Publisher } from '../support/publisher.js';
import { report } from '../support/report.js';
import { SequenceClient } from '../support/sequence-client.js';

/** One of 1,000 clients stops reading. The edge closes only that one, and is not slowed down. The client resumes. */
const QUIET_TENANTS = 9;
const CLIENTS_OF_A_QUIET_TENANT = 110;
/** The tenant of the client that stalls: it has fewer clients, and enough events that the backlog grows quickly. */
const CLIENTS_OF_THE_BUSY_TENANT = 9;
const OTHERS = QUIET_TENANTS * CLIENTS_OF_A_QUIET_TENANT + CLIENTS_OF_THE_BUSY_TENANT;
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** How long the load is measured before the stall, so that the edge reaches its steady size, and during it. */
const WATCH_MS = 15_000;

let cluster: Cluster | undefined;
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await cluster?.stop();
});

test('one client of 1,000 that stops reading is closed, and harms neither the others nor the edge', async () => {
  const running = await startCluster({
    workers: 0,
    placers: 0,
    environment: { MAX_UNSENT_BYTES: String(MAX_UNSENT_BYTES), HANDSHAKES_PER_ADDRESS: '1000' },
  });
  cluster = running;
  const [edge] = running.edges;
  if (edge === undefined) throw new Error('no edge runs');
  const busy = await running.addTenant('busy');
  const quiet = await Promise.all(Array.from({ length: QUIET_TENANTS }, () => running.addTenant('quiet')));
  const publish = async (tenant: TestTenant, load: { perSecond: number; textLength: number }) => {
    const publisher = await Publisher.start({ cluster: running, tenant, ...load });
    opened.push({ close: () => publisher.stop() });
    return publisher;
  };

  const network = await SeverablePort.open(edge.port);
  opened.push(network);
  const stalling = await SequenceClient.start({
    url: `http://127.0.0.1:${network.port}`,
    apiKey: busy.apiKey,
  });
  opened.push(stalling);
  await waitFor(() => stalling.isUpgraded, { what: 'events by WebSocket' });
  const crowd = new CrowdProcess();
  opened.push(crowd);
  const members = [
    { apiKey: busy.apiKey, clients: CLIENTS_OF_THE_BUSY_TENANT },
    ...quiet.map(({ apiKey }) => ({ apiKey, clients: CLIENTS_OF_A_QUIET_TENANT })),
  ];
  expect(await crowd.ask({ kind: 'connect', url: edge.url, members })).toMatchObject({
    connected: OTHERS,
    faults: [],
  });
  expect(await metricOf(edge, 'wafleet_edge_sockets{namespace="/api/events"}')).toBe(OTHERS + 1);
  const publishers = await Promise.all([
    publish(busy, { perSecond: 60, textLength: 16_000 }),
    ...quiet.map((tenant) => publish(tenant, { perSecond: 5, textLength: 1_000 })),
  ]);

  await delay(WATCH_MS);
  await crowd.ask({ kind: 'report' });
  const watch = new EdgeWatch(edge);
  opened.push(watch);
  await delay(WATCH_MS);
  const before = await crowd.ask({ kind: 'report' });
  const edgeBefore = watch.take();

  const stalledAt = performance.now();
  network.freeze();
  const closed = await edge.process.waitForLog(
    ({ msg }) => msg === 'closed a client that does not read its events',
    'that it closed a client',
    60_000,
  );
  const closedAfterMs = Math.round(performance.now() - stalledAt);
  const edgeDuring = watch.take();
  const asked = crowd.ask({ kind: 'report' });
  // Within the grace period in which it can still read why it is closed.
  network.restore();
  const during = await asked;
  await stalling.liveSince(Date.now());
  await delay(WATCH_MS);
  for (const publisher of publishers) await publisher.stop();
  await stalling.expectEverythingOf(running, busy);
  const after = await crowd.ask({ kind: 'report' });
  const edgeAfter = watch.take();
  const expected = publishers.reduce((sum, { published }, index) => {
    return sum + published.length * (members[index]?.clients ?? 0);
  }, 0);
  const total = async () => (await crowd.ask({ kind: 'report' })).received;
  await waitFor(async () => (await total()) >= expected, {
    what: `the others with all ${expected} of their events`,
    timeoutMs: 60_000,
  });
  report('client-stalls', {
    clients: OTHERS + 1,
    received: await total(),
    closedAfterMs,
    backlogBytes: Number(closed.bytes),
    backlogPackets: Number(closed.packets),
    stalledReceived: stalling.received.length,
    stalledDuplicates: stalling.duplicates,
    appendMs: publishers.flatMap(({ appendMs }) => appendMs),
    filled: await metricOf(edge, 'wafleet_edge_events_filled_total'),
  });
  const windows = [
    ['before', before, edgeBefore],
    ['during', during, edgeDuring],
    ['after', after, edgeAfter],
  ] as const;
  for (const [when, { latencyMs }, { peakBytes, cpuShare }] of windows) {
    report(`client-stalls, ${when}`, {
      latencyMs: `p50:${latencyMs.p50},p99:${latencyMs.p99},max:${latencyMs.max}`,
      edgeMemory: `${(peakBytes / 1024 / 1024).toFixed(1)}MiB`,
      edgeCpu: `${(cpuShare * 100).toFixed(1)}%`,
    });
  }

  expect(Number(closed.bytes), 'what waited for it').toBeLessThan(2 * MAX_UNSENT_BYTES);
  expect(await metricOf(edge, 'wafleet_edge_connections_closed_total{reason="SLOW_CLIENT"}')).toBe(1);
  expect(stalling.closings.map(({ code }) => code)).toEqual(['SLOW_CLIENT']);
  expect(stalling.disconnects).toHaveLength(1);
  expect(await crowd.ask({ kind: 'report' })).toMatchObject({
    connected: OTHERS,
    received: expected,
    faults: [],
  });
  expect(edgeDuring.peakBytes - edgeBefore.peakBytes, 'growth of the edge').toBeLessThan(
    10 * MAX_UNSENT_BYTES,
  );
  expect(during.latencyMs.p50, 'the middle latency').toBeLessThan(10 * before.latencyMs.p50 + 100);
});
