import { type Cluster, type Edge, metricOf, startCluster, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { Publisher } from './support/publisher.js';
import { report } from './support/report.js';
import { SequenceClient } from './support/sequence-client.js';

/**
 * The connection over which Redis sends new events to an edge breaks again and again. Redis does not send the events of
 * meanwhile again: the edge must notice that they are missing and read them from the log.
 */
const CUTS = 10;

let cluster: Cluster | undefined;
let publisher: Publisher | undefined;
const clients: SequenceClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await publisher?.stop();
  await cluster?.stop();
});

test('clients stay connected and miss nothing when an edge loses its connection for events', async () => {
  const running = await startCluster({ workers: 0, placers: 0 });
  cluster = running;
  const [edge] = running.edges;
  if (edge === undefined) throw new Error('no edge runs');
  const tenant = await running.addTenant();
  for (const options of [{}, { transports: ['websocket'] }, { transports: ['polling'] }]) {
    clients.push(await SequenceClient.start({ url: edge.url, apiKey: tenant.apiKey, options }));
  }
  publisher = await Publisher.start({ cluster: running, tenant, sessions: 5, perSecond: 40 });

  let cuts = 0;
  const isProven = async () => {
    await cutSubscriber(running);
    cuts += 1;
    const hearsAgainAt = Date.now();
    await Promise.all(clients.map((client) => client.liveSince(hearsAgainAt)));
    return cuts >= CUTS && (await filledBy(edge)) > 0;
  };
  await waitFor(isProven, { what: 'events that had to be read from the log', timeoutMs: 60_000 });
  await publisher.stop();

  for (const client of clients) {
    await client.expectEverythingOf(running, tenant);
    expect(client.disconnects).toEqual([]);
    expect(client.duplicates).toBe(0);
  }
  report('subscriber-connection-is-cut', {
    published: publisher.published.length,
    cuts,
    filled: await filledBy(edge),
  });
});

const filledBy = (edge: Edge) => metricOf(edge, 'wafleet_edge_events_filled_total');

/** Closes the connections over which edges receive events. */
async function cutSubscriber({ redis }: Cluster): Promise<void> {
  const list = await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub');
  const ids = list
    .split('\n')
    .filter((line) => line.includes(':events '))
    .flatMap((line) => /\bid=(\d+)/.exec(line)?.[1] ?? []);
  expect(ids, 'connections for events').toHaveLength(1);
  for (const id of ids) await redis.command('CLIENT', 'KILL', 'ID', id);
}
