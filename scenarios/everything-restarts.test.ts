import { type Cluster, collectEvents, startCluster, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Sessions survive the restart of every process, Redis included. Only Redis stores them. WhatsApp keeps running. */
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, edges: 1, placers: 1 });
});

afterAll(async () => {
  await cluster?.stop();
});

test('after a restart of everything both sessions reopen without linking and get what they missed', async () => {
  const { simulator } = cluster;
  const tenant = await cluster.addTenant();
  const { client } = tenant;
  const [anna, bert, carl] = ['Anna', 'Bert', 'Carl'].map((name) => simulator.addPhone({ name }));
  if (anna === undefined || bert === undefined || carl === undefined) throw new Error('no phones');

  await client.call('create-session', { body: { id: 'by-qr' } });
  await client.call('create-session', { body: { id: 'by-code' } });
  await cluster.linkByQr(client, 'by-qr', anna);
  await cluster.linkByCode(client, 'by-code', bert);
  const linked = [...anna.devices.values(), ...bert.devices.values()].map(({ id }) => id);

  await cluster.stopProcesses();
  await cluster.redis.restart();
  const toAnna = await carl.send(anna, { text: 'while you were away' });
  const toBert = await carl.send(bert, { text: 'you too' });

  const edge = await cluster.addEdge();
  const events = await collectEvents(edge.url, tenant.apiKey, ['messages.upsert', 'auth.qr']);
  await Promise.all([cluster.addWorker(), cluster.addWorker(), cluster.addPlacer()]);

  await waitForStatus(client, 'by-qr', 'open', 60_000);
  await waitForStatus(client, 'by-code', 'open', 60_000);
  for (const [sessionId, sent] of [
    ['by-qr', toAnna],
    ['by-code', toBert],
  ] as const) {
    await events.waitForEvent(
      'messages.upsert',
      (payload) => payload.sessionId === sessionId && payload.messages.some(({ key }) => key.id === sent.id),
      { timeoutMs: 30_000, what: `with what ${sessionId} missed` },
    );
  }
  expect(events.payloads('auth.qr'), 'no session asked to be linked again').toEqual([]);
  expect([...anna.devices.values(), ...bert.devices.values()].map(({ id }) => id)).toEqual(linked);

  // The sessions work in both directions after all that.
  const { messageId } = await client.call('send-message', {
    params: { id: 'by-qr' },
    body: { to: carl.number, text: 'back again' },
  });
  const received = await carl.waitForMessage(({ id }) => id === messageId);
  expect(received.text).toBe('back again');
  events.close();
});
