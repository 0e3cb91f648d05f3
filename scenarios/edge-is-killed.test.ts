import { type Cluster, LoadBalancer, startCluster, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { BalancedClients } from './support/balanced-clients.js';
import { linkSessions } from './support/linked-sessions.js';
import { report } from './support/report.js';
import { Traffic } from './support/traffic.js';

/** Edges crash under traffic. Ordinary Socket.IO clients continue on another edge and miss no event. */
const SESSIONS = 4;

let cluster: Cluster | undefined;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await cluster?.stop();
});

test('clients of an edge that is killed, twice, miss nothing', async () => {
  const running = await startCluster({ edges: 2 });
  cluster = running;
  const tenant = await running.addTenant();
  // Before the sessions are linked: a client's pings prove what it received, and the first pings take a while.
  const balanced = await BalancedClients.start(running, tenant);
  opened.push(balanced);
  const { clients } = balanced;
  const sessions = await linkSessions(running, tenant, SESSIONS);
  const balancer = await LoadBalancer.open(() => running.edges, { affinity: true });
  opened.push(balancer);
  const traffic = await Traffic.start({
    cluster: running,
    tenant,
    sessions,
    everyMs: 250,
    url: balancer.url,
  });
  opened.push(traffic);

  const liveAgainMs: number[] = [];
  const killTheirEdge = async () => {
    const [edge, another] = balanced.edges;
    expect(another, 'the clients are on one edge').toBe(undefined);
    const killedAt = Date.now();
    await edge?.process.kill();
    const times = await Promise.all(clients.map((client) => client.liveSince(killedAt)));
    liveAgainMs.push(...times.map((at) => at - killedAt));
  };

  const isProven = () => clients.every((client) => client.isUpgraded && client.proven > 0);
  await waitFor(isProven, { what: 'events that will not come again', timeoutMs: 60_000 });
  const provenBefore = clients.map((client) => client.proven);
  await killTheirEdge();
  await running.addEdge();
  await traffic.flows(3);
  await killTheirEdge();
  await traffic.flows(3);
  const { sent } = await traffic.finish();

  for (const client of clients) {
    await client.expectEverythingOf(running, tenant);
    expect(client.disconnects, 'connections that it lost').toHaveLength(2);
    expect(client.repeatedAfterProof, 'events that came again although they were proven').toBe(0);
  }
  report('edge-is-killed', {
    sessions: SESSIONS,
    sent,
    received: clients.map(({ received }) => received.length),
    liveAgainMs,
    provenBefore,
    duplicates: clients.map(({ duplicates }) => duplicates),
  });
});
