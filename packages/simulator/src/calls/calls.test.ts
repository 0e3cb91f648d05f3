import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { expectTrigger } from '../testing/recorded.js';
import type { Call } from './call.js';

const simulator = new Simulator();
let client: Client;
let call: Call;
const alice = simulator.addPhone({ name: 'Alice', number: '15550001001' });
const carl = simulator.addPhone({ name: 'Carl', number: '15551230001' });

beforeAll(async () => {
  await simulator.start();
  client = await Client.linked(simulator, alice);
});

afterAll(async () => {
  await client.end();
  await simulator.stop();
});

test('call offer', async () => {
  await expectTrigger('call offer', client, () => {
    call = carl.call(alice, { video: true });
  });
  expect(simulator.calls.find(call.id)).toBe(call);
});

test('call accept', async () => {
  await expectTrigger('call accept', client, () => call.accept());
});

test('call terminate', async () => {
  await expectTrigger('call terminate', client, () => call.terminate());
  expect(simulator.calls.find(call.id)).toBeUndefined();
  expect(() => call.accept()).toThrow('a call that is ended cannot become accepted');
});

test('missed call', async () => {
  await expectTrigger('missed call (terminate timeout)', client, () => carl.call(alice).timeOut());
});

test('reject call', async () => {
  await expectTrigger('reject call', client, () => {
    call = carl.call(alice);
  });
  await client.sock.rejectCall(call.id, carl.lid);
  expect(await call.settled()).toBe('rejected');
});

test('a call link', async () => {
  expect(await client.sock.createCallLink('audio')).toMatch(/^[\w-]{22}$/);
});
