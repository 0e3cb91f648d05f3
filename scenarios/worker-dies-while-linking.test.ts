import { type Cluster, startCluster, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownerOf } from './support/owner-process.js';
import { report } from './support/report.js';

/** A worker is killed while a person links a phone. Another worker shows a fresh code, and the person can finish. */
let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({ workers: 2 });
});

afterEach(async () => {
  await cluster?.stop();
});

test('another worker shows a new QR code in place of the dead worker’s, and that one links', async () => {
  const tenant = await cluster.addTenant();
  const { client } = tenant;
  const phone = cluster.simulator.addPhone({ name: 'Anna' });
  await client.call('create-session', { body: { id: 'shop' } });
  const first = await waitFor(() => client.call('get-qr', { params: { id: 'shop' } }), {
    what: 'a QR code',
    timeoutMs: 30_000,
  });

  const owner = await ownerOf(cluster, tenant, 'shop');
  await owner.kill();
  const killedAt = performance.now();
  await expect(phone.scan(first.qr)).rejects.toThrow();
  const second = await freshQr(client, first.qr);
  report('worker-dies-while-linking', { newQrMs: Math.round(performance.now() - killedAt) });
  await phone.scan(second);
  expect((await waitForStatus(client, 'shop', 'open')).phone).toBe(phone.number);
  expect(phone.devices.size).toBe(1);
});

test('a pairing code of the dead worker is invalid, and a new one of another worker links', async () => {
  const tenant = await cluster.addTenant();
  const { client } = tenant;
  const phone = cluster.simulator.addPhone({ name: 'Bert' });
  await client.call('create-session', { body: { id: 'shop' } });
  const { qr } = await waitFor(() => client.call('get-qr', { params: { id: 'shop' } }), {
    what: 'a QR code',
    timeoutMs: 30_000,
  });
  const { code } = await client.call('pairing-code', {
    params: { id: 'shop' },
    body: { phone: phone.number },
  });

  const owner = await ownerOf(cluster, tenant, 'shop');
  await owner.kill();
  const killedAt = performance.now();
  await freshQr(client, qr);
  report('worker-dies-while-linking', { newQrAfterCodeMs: Math.round(performance.now() - killedAt) });
  const next = await client.call('pairing-code', { params: { id: 'shop' }, body: { phone: phone.number } });
  expect(next.code).not.toBe(code);
  await expect(phone.enterCode(code)).rejects.toMatchObject({ name: 'WrongPairingCodeError' });
  await phone.enterCode(next.code);
  expect((await waitForStatus(client, 'shop', 'open')).phone).toBe(phone.number);
  expect(phone.devices.size).toBe(1);
});

/** The QR code that follows this one. */
function freshQr(client: Awaited<ReturnType<Cluster['addTenant']>>['client'], old: string): Promise<string> {
  const look = async () => {
    const { qr } = await client.call('get-qr', { params: { id: 'shop' } });
    return qr !== old && qr;
  };
  return waitFor(look, { what: 'a QR code of another worker', timeoutMs: 60_000, intervalMs: 50 });
}
