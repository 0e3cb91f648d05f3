import { S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';
import type { CloseCause } from '../transport/close-cause.js';

const simulator = new Simulator();
const anna = simulator.addPhone({ name: 'Anna' });
let client: Client;

beforeAll(async () => {
  await simulator.start();
  client = await Client.linked(simulator, anna);
});

afterAll(async () => {
  await client?.end();
  await simulator.stop();
});

describe('a connection that the server closes', () => {
  const causes: [CloseCause, number][] = [
    [{ code: 403 }, 403],
    [{ code: 503 }, 503],
    [{ code: 515 }, 515],
    ['unknown', 500],
    ['stream-end', 428],
    ['socket', 428],
    ['tcp', 428],
    ['downgrade', 411],
  ];

  test.each(causes)('%o is code %i for the client', async (cause, code) => {
    simulator.disconnect(anna, cause);
    expect(await client.closed()).toBe(code);
    client.connect();
    await client.open();
  });
});

describe('faults', () => {
  afterEach(() => simulator.resume());

  test('a refused login', async () => {
    simulator.refuseLogins(405, anna);
    simulator.disconnect(anna, 'socket');
    expect(await client.closed()).toBe(428);
    client.connect();
    expect(await client.closed()).toBe(405);
    simulator.resume();
    client.connect();
    await client.open();
  });

  test('a rejected upgrade leaves the client without an event', async () => {
    simulator.disconnect(anna, 'socket');
    await client.closed();
    simulator.rejectUpgrades(503);
    client.connect();
    const status = await new Promise((resolve) => {
      const socket = new WebSocket(simulator.url);
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    expect(status).toBe(503);
    const closes = client.closeCodes.length;
    await client.end();
    expect(client.closeCodes.length).toBe(closes + 1);
    await client.closed();
    simulator.resume();
    client.connect();
    await client.open();
  });

  test('a silent server, seen when the connection is opened', async () => {
    simulator.disconnect(anna, 'socket');
    await client.closed();
    simulator.goSilent();
    const impatient = new Client(simulator, { connectTimeoutMs: 300 }, client.auth);
    impatient.connect();
    expect(await impatient.closed()).toBe(408);
    simulator.resume();
    client.connect();
    await client.open();
  });
});

describe('one device', () => {
  test('is logged in once: a second socket replaces the first', async () => {
    const { loginRecord } = client.device;
    const { logins } = loginRecord;
    expect(loginRecord).toMatchObject({ conflicts: 0, longestOverlapMs: 0 });
    const second = new Client(simulator, {}, client.auth);
    second.connect();
    expect(await client.closed()).toBe(440);
    await second.open();
    expect(second.device.isOnline).toBe(true);
    expect(loginRecord).toMatchObject({ logins: logins + 1, conflicts: 1 });
    expect(loginRecord.longestOverlapMs).toBeGreaterThan(0);
    await second.end();
    client.connect();
    await client.open();
  });

  test('is gone when its phone has unlinked it', async () => {
    const other = await Client.linked(simulator, anna);
    const { device } = other;
    expect([...anna.devices.values()]).toContain(device);
    anna.unlink(device);
    expect(await other.closed()).toBe(401);
    expect([...anna.devices.values()]).not.toContain(device);
    other.connect();
    expect(await other.closed()).toBe(401);
  });

  test('is gone when it logs out', async () => {
    const other = await Client.linked(simulator, anna);
    const count = anna.devices.size;
    await other.sock.logout();
    await until('the device to be gone', () => anna.devices.size === count - 1);
  });
});

describe('a QR code', () => {
  test('follows another until all are used up', async () => {
    const patient = new Client(simulator, { qrTimeout: 20 });
    patient.connect();
    const first = await patient.qr();
    await until('another code', async () => (await patient.qr()) !== first);
    expect(await patient.closed()).toBe(408);
  });

  test('in the body of a request is scanned by the phone with the push name of the client', async () => {
    const scan = (qr: string) =>
      fetch(`http://${simulator.host}/admin/mock-phone/scan-qr`, { method: 'POST', body: qr });
    expect((await scan('hello')).status).toBe(409);
    const guest = new Client(simulator, { pushName: 'Guest 1' });
    guest.connect();
    expect((await scan(await guest.qr())).status).toBe(204);
    expect(await guest.closed()).toBe(515);
    expect(guest.device.phone.name).toBe('Guest 1');
    guest.connect();
    await guest.open();
    const groups = Object.values(await guest.sock.groupFetchAllParticipating());
    expect(groups.map(({ subject }) => subject)).toEqual(['Baileys Group Test']);
    await guest.end();
  });

  test('that no client shows is refused', async () => {
    await expect(anna.scan('https://wa.me/settings/linked_devices#unknown,AA==,AA==,AA==,1')).rejects.toThrow(
      'unknown or has expired',
    );
    await expect(anna.scan('hello')).rejects.toThrow('not a QR code');
  });

  test('cannot be scanned when its time is over', async () => {
    const hasty = new Simulator({ qrTtlMs: 1, rootKey: '11'.repeat(32) });
    await hasty.start();
    const late = new Client(hasty);
    late.connect();
    const qr = await late.qr();
    await until('the code to expire', async () => {
      const message = await hasty.addPhone({ name: 'Late' }).scan(qr).catch(String);
      return String(message).includes('expired');
    });
    await late.end();
    await hasty.stop();
  });
});

test('a client that is not linked yet gets answers to its keep-alive pings', async () => {
  const waiting = new Client(simulator);
  waiting.connect();
  await waiting.qr();
  const ping = {
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }],
  };
  await expect(waiting.sock.query(ping)).resolves.toMatchObject({ tag: 'iq', attrs: { type: 'result' } });
  await waiting.end();
});
