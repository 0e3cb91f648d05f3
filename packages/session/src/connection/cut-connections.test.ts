import { AuthStateStore } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { ALL_WA_PATCH_NAMES } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newCredentials } from '../baileys/baileys.js';
import { Harness } from '../testing/harness.js';
import { WatchedAuth } from '../testing/watched-auth.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** A session whose writes are observed, its phone and a contact of the phone. */
async function scene() {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const { fence } = await harness.newSession();
  const auth: WatchedAuth[] = [];
  const session = await harness.takeOver(
    fence,
    fence.worker,
    {},
    {
      store: (owner) => {
        const watched = new WatchedAuth(harness.authOptions(owner));
        auth.push(watched);
        return { ...harness.storeOf(owner), auth: watched };
      },
    },
  );
  const [watched] = auth;
  if (watched === undefined) throw new Error('the session has no store');
  const cut = async () => {
    for (const device of phone.devices.values()) device.close('tcp');
    await waitFor(() => session.session.status === 'reconnecting', { what: 'the end of the connection' });
  };
  const acknowledged = () =>
    waitFor(() => [...phone.devices.values()].every(({ pendingCount }) => pendingCount === 0), {
      what: 'everything acknowledged',
    });
  return { phone, carl, session, auth: watched, cut, acknowledged };
}

test('a history whose connection breaks after it was acknowledged comes with the next connection', async () => {
  const { phone, carl, session, auth, cut, acknowledged } = await scene();
  await session.link(phone);
  await acknowledged();
  // Baileys stores the pairs of a history after it has acknowledged the history, and emits its messages last.
  auth.isAwaited = (data) => Object.keys(data['lid-mapping'] ?? {}).includes(carl.number);
  auth.aroundWrite = async (write) => {
    await acknowledged();
    await cut();
    await write();
  };
  phone.history.remember(carl, { message: { conversation: 'long ago' } });
  await phone.history.share({ kind: 'RECENT', chunkOrder: 2 });
  await session.event('messages.upsert', 'long ago');
  await session.status('open');
  await waitFor(async () => (await harness.fieldsOf(session.fence, 'inbox:')).length === 0, {
    what: 'nothing left unfinished',
  });
  const published = (await session.events()).filter(({ payload }) =>
    JSON.stringify(payload).includes('long ago'),
  );
  expect(published).toHaveLength(1);
});

test.each([
  ['succeeds', async () => {}],
  [
    'fails here and was carried out',
    async () => {
      throw new Error('Command timed out');
    },
  ],
])(
  'a change on the phone is published though the connection breaks while its version is stored, which %s',
  async (_how, afterwards) => {
    const { phone, carl, session, auth, cut, acknowledged } = await scene();
    await session.link(phone);
    await phone.settings.saveContact(carl, 'Carl');
    await session.event('contacts.upsert', '"name":"Carl"');
    auth.isAwaited = (data) => data['app-state-sync-version'] !== undefined;
    auth.aroundWrite = async (write) => {
      await write();
      await cut();
      await afterwards();
    };
    await phone.settings.saveContact(carl, 'Carl the Great');
    await session.event('contacts.upsert', 'Carl the Great');
    await acknowledged();
  },
);

test('contacts that are missing because the first login was cut off come with the next one', async () => {
  const { phone, carl, session } = await scene();
  await session.link(phone);
  await phone.settings.saveContact(carl, 'Carl the Great');
  await session.event('contacts.upsert', 'Carl the Great');
  await session.session.stop({ reason: 'test' });

  const next = await harness.takeOver(session.fence, session.fence.worker);
  const { keys } = await new AuthStateStore(harness.authOptions(next.fence)).load(newCredentials);
  await keys.set({
    'app-state-sync-version': Object.fromEntries(ALL_WA_PATCH_NAMES.map((name) => [name, null])),
  });
  const isPublished = async () =>
    (await next.events()).filter(
      ({ event, payload }) =>
        event === 'contacts.upsert' && JSON.stringify(payload).includes('Carl the Great'),
    ).length === 2;
  await next.session.start();
  await waitFor(isPublished, { what: 'the contact published again' });
});
