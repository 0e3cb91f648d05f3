import { ApiError } from '@wafleet/client';
import { type Cluster, metricOf, startCluster } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkSessions } from './support/linked-sessions.js';

/** Two tenants have their sessions on the same worker. One of them sends far more at a time than its limit. */

const SENDS = 600;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ workers: 1 });
});
afterAll(() => cluster.stop());

test('the sends of a tenant beyond its limit are refused, and every send of its neighbour succeeds', async () => {
  const greedy = await cluster.addTenant('greedy');
  const neighbour = await cluster.addTenant('neighbour');
  const mine = await linkSessions(cluster, greedy, 2);
  const [shop = expect.fail('no session is linked')] = await linkSessions(cluster, neighbour, 1);
  const recipient = cluster.simulator.addPhone({ name: 'Recipient' });

  let done = false;
  const flooding = Promise.allSettled(
    Array.from({ length: SENDS }, (_, n) =>
      greedy.client.call('send-message', {
        params: { id: mine[n % mine.length]?.id ?? '' },
        body: { to: recipient.number, text: `greedy ${n}` },
      }),
    ),
  ).then((sends) => {
    done = true;
    return sends;
  });
  let served = 0;
  do {
    // Rejects, and fails the test, if the neighbour is refused.
    await neighbour.client.call('send-message', {
      params: { id: shop.id },
      body: { to: recipient.number, text: `neighbour ${served}` },
    });
    served += 1;
  } while (!done);

  const sends = await flooding;
  const codes = new Set(
    sends.flatMap((send) =>
      send.status === 'rejected' && send.reason instanceof ApiError ? [send.reason.code] : [],
    ),
  );
  expect(sends.some(({ status }) => status === 'fulfilled')).toBe(true);
  expect([...codes]).toContain('TOO_MANY_COMMANDS');
  expect([...codes]).not.toContain('INBOX_FULL');
  expect(served).toBeGreaterThan(0);
  const [edge = expect.fail('no edge runs')] = cluster.edges;
  expect(await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="commands"}')).toBeGreaterThan(0);
});
