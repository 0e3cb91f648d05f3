import { expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';

const { anna, carl, test } = await linkedAccount();

it('says whether a call was declined or taken on another device, missed, or ended by the caller', async () => {
  const ends = {
    rejected_elsewhere: carl.call(anna),
    accepted_elsewhere: carl.call(anna, { video: true }),
    timeout: carl.call(anna),
    hungUp: carl.call(anna),
  };
  ends.rejected_elsewhere.reject();
  ends.accepted_elsewhere.accept({ elsewhere: true });
  ends.timeout.timeOut();
  ends.hungUp.terminate();
  const declined = await test.event('call', ends.rejected_elsewhere.id, '"terminate"');
  expect(declined.payload).toMatchObject({
    calls: [{ status: 'terminate', reason: 'rejected_elsewhere', from: carl.lid, callerPn: carl.jid }],
  });
  const taken = await test.event('call', ends.accepted_elsewhere.id, '"terminate"');
  expect(taken.payload).toMatchObject({ calls: [{ reason: 'accepted_elsewhere', isVideo: true }] });
  const missed = await test.event('call', ends.timeout.id, '"status":"timeout"');
  expect(missed.payload).toMatchObject({ calls: [{ reason: 'timeout' }] });
  const over = await test.event('call', ends.hungUp.id, '"terminate"');
  expect(JSON.stringify(over.payload)).not.toContain('reason');
});
