import { type Cluster, collectEvents, startCluster, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  await cluster?.stop();
});

test('a session that is unlinked on the phone is logged_out, and can be linked again, to another phone', async () => {
  const { client, apiKey } = await cluster.addTenant();
  const anna = cluster.simulator.addPhone({ name: 'Anna' });
  const bert = cluster.simulator.addPhone({ name: 'Bert' });
  await client.call('create-session', { body: { id: 'shop' } });
  await cluster.linkByQr(client, 'shop', anna);

  const events = await collectEvents(cluster.edges[0]?.url ?? '', apiKey, ['connection.update']);
  anna.unlink();
  await events.waitForEvent('connection.update', ({ status }) => status === 'logged_out');
  expect((await waitForStatus(client, 'shop', 'logged_out')).phone).toBeUndefined();
  await expect(client.call('get-qr', { params: { id: 'shop' } })).rejects.toThrow(
    expect.objectContaining({ code: 'QR_NOT_AVAILABLE' }),
  );

  await client.call('restart-session', { params: { id: 'shop' } });
  await cluster.linkByQr(client, 'shop', bert);
  expect((await client.call('get-session', { params: { id: 'shop' } })).phone).toBe(bert.number);
  events.close();
});
