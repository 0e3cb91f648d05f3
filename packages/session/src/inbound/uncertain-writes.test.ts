import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from '../testing/harness.js';
import { WatchedAuth } from '../testing/watched-auth.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

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

    let auth: WatchedAuth | undefined;
    const second = await harness.takeOver(
      first.fence,
      first.fence.worker,
      {},
      {
        store: (fence) => {
          auth = new WatchedAuth(harness.authOptions(fence));
          return { ...harness.storeOf(fence), auth };
        },
      },
    );
    await second.session.start();
    await second.status('open');
    const [device] = phone.devices.values();
    if (auth === undefined || device === undefined) throw new Error('the session has no store or no device');
    const { logins } = device.loginRecord;
    auth.isAwaited = (data) => 'inbox' in data;
    // Like a Redis that answers too late, at the moment when the connection breaks.
    auth.aroundWrite = async (write) => {
      if (isCarriedOut) await write();
      device.close('tcp');
      throw new Error('Command timed out');
    };
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
