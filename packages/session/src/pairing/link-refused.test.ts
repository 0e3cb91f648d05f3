import { linkProgressSchema } from '@wafleet/contract';
import { AuthStateStore, type Fence } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** Calls `beforeSave` before the credentials are stored. */
class WatchedAuth extends AuthStateStore {
  beforeSave: () => Promise<void> = async () => {};

  override async saveCreds(): Promise<void> {
    await this.beforeSave();
    await super.saveCreds();
  }
}

test('a link that is still being stored when the QR codes are used up is completed', async () => {
  const phone = harness.simulator.addPhone({ name: 'Berta' });
  const { fence } = await harness.newSession();
  const auths: WatchedAuth[] = [];
  const store = (owner: Fence) => {
    const auth = new WatchedAuth(harness.authOptions(owner));
    auths.push(auth);
    return { ...harness.storeOf(owner), auth };
  };
  const slow = await harness.takeOver(fence, fence.worker, { qrLifeMs: 200 }, { store });
  await slow.session.start();
  const { payload } = await slow.event('connection.update', '"qr-shown"');
  const { expiresAt = '' } = linkProgressSchema.parse(payload.link);
  for (const auth of auths) {
    auth.beforeSave = async () => {
      auth.beforeSave = async () => {};
      await waitFor(() => Date.now() > Date.parse(expiresAt) + 200, { what: 'the end of the QR codes' });
    };
  }
  const offer = await waitFor(() => harness.offers.getQr(fence), { what: 'a QR code' });
  await phone.scan(offer.qr);
  await slow.status('open');
  const shown = (await slow.events()).map(({ payload: { status } }) => status);
  expect(shown).not.toContain('reconnecting');
  expect(phone.devices.size).toBe(1);
  slow.session.discard();
});

test.each(['this process', 'another worker'])(
  'a link whose connection breaks before WhatsApp has its confirmation is made again by %s',
  async (who) => {
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const { fence } = await harness.newSession();
    const auths: WatchedAuth[] = [];
    const first = await harness.takeOver(
      fence,
      fence.worker,
      {},
      {
        store: (owner) => {
          const auth = new WatchedAuth(harness.authOptions(owner));
          auths.push(auth);
          return { ...harness.storeOf(owner), auth };
        },
      },
    );
    await first.session.start();
    const { payload } = await first.event('auth.qr');
    for (const auth of auths) {
      auth.beforeSave = async () => {
        auth.beforeSave = async () => {};
        harness.simulator.disconnectAll('tcp');
        await waitFor(() => first.session.status === 'reconnecting', { what: 'the end of the connection' });
      };
    }
    await expect(phone.scan(String(payload.qr))).rejects.toThrow();
    expect(phone.devices.size).toBe(0);
    await waitFor(() => first.session.status === 'reconnecting', { what: 'the end of the connection' });

    let session = first;
    if (who === 'another worker') {
      await first.session.stop({ reason: 'test' });
      session = await harness.takeOver(first.fence, first.fence.worker);
      await session.session.start();
    }
    const fresh = await waitFor(
      async () =>
        (await session.events()).find(
          ({ event, payload: offer }) => event === 'auth.qr' && offer.qr !== payload.qr,
        ),
      { what: 'another QR code' },
    );
    expect((await session.record()).phone).toBeUndefined();
    await phone.scan(String(fresh.payload.qr));
    expect((await session.status('open')).phone).toBe(phone.number);
    expect(phone.devices.size).toBe(1);
    const shown = (await session.events()).map(({ payload: { status, reason } }) => `${status} ${reason}`);
    expect(shown).toContain('reconnecting link-refused');
    expect(shown).not.toContain('logged_out logged-out');
    session.session.discard();
  },
);
