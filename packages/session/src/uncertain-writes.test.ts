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

/** Fails the write of the next decrypted message once it is told how, as a Redis that answers too late does. */
class FailingAuth extends AuthStateStore {
  next: { isCarriedOut: boolean; whenFailed: () => void } | undefined;

  override async load(...args: Parameters<AuthStateStore['load']>) {
    const state = await super.load(...args);
    const set = async (data: SignalDataSet) => {
      const failing = 'inbox' in data ? this.next : undefined;
      if (failing === undefined) return state.keys.set(data);
      this.next = undefined;
      if (failing.isCarriedOut) await state.keys.set(data);
      failing.whenFailed();
      throw new Error('Command timed out');
    };
    return { ...state, keys: { ...state.keys, set } };
  }
}

test.each([
  ['in a chat of two', 'was carried out', true],
  ['in a chat of two', 'was not carried out', false],
  ['in a group', 'was carried out', true],
  ['in a group', 'was not carried out', false],
] as const)(
  'a message %s whose keys failed to be stored as its connection broke, where the write %s, is readable and keeps its place',
  async (where, _what, isCarriedOut) => {
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const chat = where === 'in a group' ? carl.createGroup('Friends', [phone]) : phone;
    const first = await harness.newSession();
    await first.link(phone);
    await carl.send(chat, 'one');
    await first.event('messages.upsert', 'one');
    await first.session.stop({ reason: 'test' });

    let auth: FailingAuth | undefined;
    const second = await harness.takeOver(
      first.fence,
      first.fence.worker,
      {},
      {
        store: (fence) => {
          auth = new FailingAuth(harness.authOptions(fence));
          return { ...harness.storeOf(fence), auth };
        },
      },
    );
    await second.session.start();
    await second.status('open');
    const [device] = phone.devices.values();
    if (auth === undefined || device === undefined) throw new Error('the session has no store or no device');
    const { logins } = device.loginRecord;
    auth.next = { isCarriedOut, whenFailed: () => device.close('tcp') };
    await carl.send(chat, 'two');
    await carl.send(chat, 'three');
    await second.event('messages.upsert', 'three');
    await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged' });
    expect(device.loginRecord.logins).toBe(logins + 1);
    const texts = (await second.events())
      .filter(({ event }) => event === 'messages.upsert')
      .map(({ payload }) => /"conversation":"([^"]*)"/.exec(JSON.stringify(payload))?.[1]);
    expect(texts).toEqual(['one', 'two', 'three']);
  },
);
