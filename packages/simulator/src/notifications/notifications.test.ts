import { beforeAll, expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { markDirty, setDisappearingMode, sharePrivacyToken } from './notices.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();

beforeAll(async () => {
  await alice.settings.setUnarchiveChats(true);
  await carl.send(alice, 'hi');
  await client.text('hi');
});

const triggers: Readonly<Record<string, () => unknown>> = {
  'picture changed': () => carl.setPicture(Buffer.from('a picture')),
  'blocklist notification': () => alice.block(dora),
  'account disappearing mode': () => setDisappearingMode(alice, 86_400, 1_700_000_000),
  'dirty account_sync': () => markDirty(alice, 'account_sync'),
  'privacy token': () => sharePrivacyToken(carl, alice),
};

test.each(Object.entries(triggers))('%s', async (trigger, act) => {
  await expectTrigger(trigger, client, act);
});

test('a token of trust is kept by the client', async () => {
  const token = sharePrivacyToken(dora, alice);
  await expect
    .poll(async () => (await client.auth.keys.get('tctoken', [dora.lid]))[dora.lid]?.token?.toString('hex'))
    .toBe(token.toString('hex'));
});

test('clients see, set and remove pictures', async () => {
  const url = await client.sock.profilePictureUrl(carl.jid);
  expect(url).toContain(`https://${simulator.host}/v/`);
  await expect(client.sock.profilePictureUrl(dora.jid)).rejects.toThrow('item-not-found');
  await client.sock.removeProfilePicture(alice.jid);
  carl.removePicture();
  await expect(client.sock.profilePictureUrl(carl.jid)).rejects.toThrow('item-not-found');
});

test('clients see and change the list of the blocked', async () => {
  expect(await client.sock.fetchBlocklist()).toEqual([dora.lid]);
  await client.sock.updateBlockStatus(carl.jid, 'block');
  expect([...alice.blocked]).toEqual([dora, carl]);
  await client.sock.updateBlockStatus(dora.lid, 'unblock');
  expect(await client.sock.fetchBlocklist()).toEqual([carl.lid]);
});
