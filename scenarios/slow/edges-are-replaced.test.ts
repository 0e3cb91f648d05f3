import { type Cluster, startCluster, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { BalancedClients } from '../support/balanced-clients.js';
import { Publisher } from '../support/publisher.js';
import { report } from '../support/report.js';

/** A rolling restart of the edges: for each one a new one starts, then the old one is asked to stop. */
let cluster: Cluster | undefined;
let publisher: Publisher | undefined;
let balanced: BalancedClients | undefined;

afterEach(async () => {
  await balanced?.close();
  await publisher?.stop();
  await cluster?.stop();
});

test('every edge is replaced, and clients miss nothing and see no failed connection', async () => {
  // Long enough on a busy machine for a load balancer that checks ten times a second.
  const environment = { STOP_DELAY_MS: '2000' };
  const running = await startCluster({ workers: 0, placers: 0, edges: 2, environment });
  cluster = running;
  const tenant = await running.addTenant();
  balanced = await BalancedClients.start(running, tenant);
  const { clients } = balanced;
  publisher = await Publisher.start({ cluster: running, tenant, sessions: 5, perSecond: 20 });
  await waitFor(() => clients.every(({ isUpgraded }) => isUpgraded), { what: 'clients by WebSocket' });

  const exits = [];
  const liveAgainMs: number[] = [];
  for (const old of [...running.edges]) {
    await running.addEdge();
    const hadClients = balanced.edges.includes(old);
    exits.push(await old.process.stop());
    const stoppedAt = Date.now();
    const times = await Promise.all(clients.map((client) => client.liveSince(stoppedAt)));
    if (hadClients) liveAgainMs.push(...times.map((at) => at - stoppedAt));
  }
  await publisher.stop();

  for (const client of clients) {
    await client.expectEverythingOf(running, tenant);
    expect(client.connectErrors, 'failed connections').toEqual([]);
    expect(client.disconnects.length, 'moves').toBeGreaterThanOrEqual(1);
  }
  expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
  report('edges-are-replaced', {
    published: publisher.published.length,
    moves: clients.map(({ disconnects }) => disconnects.length),
    liveAgainMs,
    duplicates: clients.map(({ duplicates }) => duplicates),
  });
});
