import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.simulator.resume());
afterAll(() => harness.stop());

test.each([400, 429])(
  'a pairing code that WhatsApp answers with %i is refused, and the QR code stays',
  async (code) => {
    const phone = harness.simulator.addPhone({ name: `Refused with ${code}` });
    const refused = await harness.newSession();
    await refused.session.start();
    await refused.event('auth.qr');
    harness.simulator.refuseRequests('link_code_companion_reg', code);
    await expect(refused.session.execute('pairing-code', { phone: phone.number })).rejects.toMatchObject({
      code: 'WHATSAPP_REFUSED',
      details: { code },
    });
    const offer = await waitFor(() => harness.offers.getQr(refused.fence), { what: 'the QR code is back' });
    expect((await refused.events()).filter(({ event }) => event === 'auth.pairing-code')).toEqual([]);
    await phone.scan(offer.qr);
    await refused.status('open');
  },
);

test('a code is given once WhatsApp takes the request again', async () => {
  const phone = harness.simulator.addPhone({ name: 'Asks twice' });
  const { session, ...rest } = await harness.newSession();
  await session.start();
  harness.simulator.refuseRequests('link_code_companion_reg', 429);
  await expect(session.execute('pairing-code', { phone: phone.number })).rejects.toMatchObject({
    code: 'WHATSAPP_REFUSED',
  });
  harness.simulator.resume();
  const { code } = await session.execute('pairing-code', { phone: phone.number });
  await phone.enterCode(code);
  await waitFor(() => session.status === 'open', { what: 'the session opens' });
  expect(rest.fence.epoch).toBe(1);
});

test('an unlink resolves to whether WhatsApp has confirmed it', async () => {
  const confirmed = harness.simulator.addPhone({ name: 'Confirmed' });
  const first = await harness.newSession();
  await first.link(confirmed);
  expect(await first.session.unlink()).toEqual({ isUnlinked: true });
  expect(confirmed.devices.size).toBe(0);

  const refused = harness.simulator.addPhone({ name: 'Refused' });
  const second = await harness.newSession();
  await second.link(refused);
  harness.simulator.refuseRequests('remove-companion-device', 500);
  expect(await second.session.unlink()).toEqual({ isUnlinked: false });
  expect(refused.devices.size).toBe(1);

  const third = await harness.newSession();
  await third.session.start();
  await third.event('auth.qr');
  expect(await third.session.unlink()).toEqual({ isUnlinked: true });
});
