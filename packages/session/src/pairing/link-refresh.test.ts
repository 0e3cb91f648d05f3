import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

test.each(['QR code', 'pairing code'] as const)(
  'a session whose %s WhatsApp no longer takes acknowledges that and shows a fresh QR code, which links',
  async (shown) => {
    const phone = harness.simulator.addPhone({ name: `Refreshed ${shown}` });
    const refreshed = await harness.newSession();
    await refreshed.session.start();
    const { payload } = await refreshed.event('auth.qr');
    const old = String(payload.qr);
    if (shown === 'pairing code') await refreshed.session.execute('pairing-code', { phone: phone.number });

    await harness.simulator.gate.clientOf(old).refresh();
    const fresh = await waitFor(
      async () => {
        const offer = await harness.offers.getQr(refreshed.fence);
        return offer !== undefined && offer.qr !== old ? offer.qr : undefined;
      },
      { what: 'a fresh QR code' },
    );
    expect(await harness.offers.getPairingCode(refreshed.fence)).toBeUndefined();
    await phone.scan(fresh);
    await refreshed.status('open');
  },
);
