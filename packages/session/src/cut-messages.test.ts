import { AuthStateStore } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import type { SignalDataSet } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from './testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** Calls `beforeWrite` before the records are stored, once, that it is told to wait for. */
class WatchedAuth extends AuthStateStore {
  isAwaited: (data: SignalDataSet) => boolean = () => false;
  beforeWrite: () => Promise<void> = async () => {};

  override async load(...args: Parameters<AuthStateStore['load']>) {
    const state = await super.load(...args);
    const set = async (data: SignalDataSet) => {
      if (this.isAwaited(data)) {
        this.isAwaited = () => false;
        await this.beforeWrite();
      }
      return state.keys.set(data);
    };
    return { ...state, keys: { ...state.keys, set } };
  }
}

test('a history whose connection breaks after it was acknowledged comes with the next connection', async () => {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const { fence } = await harness.newSession();
  let auth: WatchedAuth | undefined;
  const test = await harness.takeOver(
    fence,
    fence.worker,
    {},
    {
      store: (owner) => {
        auth = new WatchedAuth(harness.authOptions(owner));
        return { ...harness.storeOf(owner), auth };
      },
    },
  );
  if (auth === undefined) throw new Error('the session has no store');
  await test.link(phone);
  const [device] = phone.devices.values();
  await waitFor(() => device?.pendingCount === 0, { what: 'everything acknowledged' });
  // Baileys stores the pairs of a history after it has acknowledged it, and emits its messages last.
  auth.isAwaited = (data) => Object.keys(data['lid-mapping'] ?? {}).includes(carl.number);
  auth.beforeWrite = async () => {
    await waitFor(() => device?.pendingCount === 0, { what: 'the history acknowledged' });
    device?.close('tcp');
    await waitFor(() => test.session.status === 'reconnecting', { what: 'the end of the connection' });
  };
  phone.history.remember(carl, { message: { conversation: 'long ago' } });
  await phone.history.share({ kind: 'RECENT', chunkOrder: 2 });
  await test.event('messages.upsert', 'long ago');
  await test.status('open');
  await waitFor(async () => (await harness.fieldsOf(fence, 'inbox:')).length === 0, {
    what: 'nothing left unfinished',
  });
  const told = (await test.events()).filter(({ payload }) => JSON.stringify(payload).includes('long ago'));
  expect(told).toHaveLength(1);
});
