import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';
import { NoPairingRequestError, PairingCodes } from './pairing-codes.js';
import { WrongPairingCodeError } from './phone-side.js';

const simulator = new Simulator();
const client = new Client(simulator);

beforeAll(() => simulator.start());

afterAll(async () => {
  await client.end();
  await simulator.stop();
});

test('a phone whose number no client asks for', async () => {
  const erik = simulator.addPhone({ name: 'Erik' });
  const codes = new PairingCodes((phone, other, secret) => other.pair(phone, secret), 10);
  await expect(codes.enter(erik, 'ABCD1234')).rejects.toThrow(NoPairingRequestError);
});

test('a phone refuses a wrong code, and links the client with the right one', async () => {
  const anna = simulator.addPhone({ name: 'Anna', number: '15551230001' });
  client.connect();
  await client.qr();
  const code = await client.sock.requestPairingCode(anna.number);
  await expect(anna.enterCode('AAAA-AAAA')).rejects.toThrow(WrongPairingCodeError);
  expect(client.auth.creds.registered).toBe(false);

  const device = await anna.enterCode(`${code.slice(0, 4)}-${code.slice(4).toLowerCase()}`);
  expect(await client.closed()).toBe(515);
  client.connect();
  await client.open();
  expect(client.auth.creds.registered).toBe(true);
  expect(client.auth.creds.me?.id).toBe(device.jid);
  await simulator.addPhone({ name: 'Carl' }).send(anna, 'hi');
  await client.text('hi');
});

test('a phone that is slow links the client when it goes on', async () => {
  const bert = simulator.addPhone({ name: 'Bert' });
  const other = new Client(simulator);
  other.connect();
  await other.qr();
  const code = await other.sock.requestPairingCode(bert.number);
  let goOn = () => {};
  const linking = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const linked = bert.enterCode(code, { linking });
  await until('the code is accepted', () => other.auth.creds.registered);
  expect(bert.devices.size).toBe(0);
  goOn();
  await linked;
  expect(bert.devices.size).toBe(1);
  await other.end();
});
