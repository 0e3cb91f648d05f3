import type { Phone } from '@wafleet/simulator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let test: TestSession;
let alice: Phone;
let bob: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  alice = harness.simulator.addPhone({ name: 'Alice', number: '4915100000001' });
  bob = harness.simulator.addPhone({ name: 'Bob', number: '4915100000002' });
  test = await harness.newSession();
  await test.link(alice);
});
afterAll(() => harness.stop());

it('a call that rings is rejected by its id alone', async () => {
  const call = bob.call(alice);
  await test.event('call', call.id, '"status":"offer"');
  expect(await test.session.execute('reject-call', { call: call.id })).toEqual({});
  expect(call.state).toBe('rejected');
});

it('a call that the session does not know is rejected with its caller, and not without', async () => {
  const call = bob.call(alice);
  await test.event('call', call.id, '"status":"offer"');
  const next = await harness.takeOver(test.fence, test.fence.worker);
  await next.session.start();
  await next.status('open');
  await expect(next.session.execute('reject-call', { call: 'UNKNOWN' })).rejects.toMatchObject({
    code: 'CALL_NOT_FOUND',
  });
  await next.session.execute('reject-call', { call: call.id, from: bob.number });
  expect(call.state).toBe('rejected');
});
