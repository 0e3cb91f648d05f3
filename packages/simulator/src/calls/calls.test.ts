import { expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import type { Call } from './call.js';

const { simulator, client, alice, carl } = useLinkedClient();
let call: Call;

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
