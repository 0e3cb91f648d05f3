import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { LinkOffers } from './link-offers.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };

test('the latest QR code is on show until it is cleared', async () => {
  const offers = new LinkOffers(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  expect(await offers.getQr(shop)).toBeUndefined();
  const expiresAt = Date.now() + 60_000;
  await offers.putQr(fence, { qr: '2@first', expiresAt });
  await offers.putQr(fence, { qr: '2@second', expiresAt: expiresAt + 1 });
  expect(await offers.getQr(shop)).toEqual({ qr: '2@second', expiresAt: expiresAt + 1 });
  await offers.clear(fence);
  expect(await offers.getQr(shop)).toBeUndefined();
  await offers.clear(fence);
});

test('a QR code is gone when it expires, and was never shown when it came too late', async () => {
  const offers = new LinkOffers(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await offers.putQr(fence, { qr: '2@short', expiresAt: Date.now() + 50 });
  await waitFor(async () => (await offers.getQr(shop)) === undefined, { what: 'the end of the code' });
  await offers.putQr(fence, { qr: '2@late', expiresAt: Date.now() - 1000 });
  await waitFor(async () => (await offers.getQr(shop)) === undefined, { what: 'the end of the late code' });
});
