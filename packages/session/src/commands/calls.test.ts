import { expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';

const { harness, anna: alice, carl: bob, test } = await linkedAccount();

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
