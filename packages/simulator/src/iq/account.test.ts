import { USyncQuery, USyncUser } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();

describe('privacy', () => {
  test('has only the values that WhatsApp knows', async () => {
    await client.sock.updateLastSeenPrivacy('contacts');
    expect(alice.privacy.get('last')).toBe('contacts');
    const attrs = { to: '@s.whatsapp.net', type: 'set', xmlns: 'privacy' };
    for (const [name, value] of [
      ['last', 'friends'],
      ['shoes', 'all'],
    ] as const) {
      const category = { tag: 'category', attrs: { name, value } };
      const content = [{ tag: 'privacy', attrs: {}, content: [category] }];
      await expect(client.sock.query({ tag: 'iq', attrs, content })).rejects.toThrow('bad-request');
    }
    expect(alice.privacy.has('shoes')).toBe(false);
  });

  test('hides pictures and about texts from those who may not see them', async () => {
    carl.setPicture(Buffer.from('a picture'));
    carl.about = 'At the sea';
    for (const category of ['profile', 'status']) carl.privacy.set(category, 'contacts');
    await expect(client.sock.profilePictureUrl(carl.jid)).rejects.toThrow('not-authorized');
    expect(await client.sock.fetchStatus(carl.jid)).toMatchObject([{ status: { status: '' } }]);
    await carl.settings.saveContact(alice, 'Alice');
    expect(await client.sock.profilePictureUrl(carl.jid)).toContain('https://');
    expect(await client.sock.fetchStatus(carl.jid)).toMatchObject([{ status: { status: 'At the sea' } }]);
    carl.block(alice);
    await expect(client.sock.profilePictureUrl(carl.jid)).rejects.toThrow('not-authorized');
    carl.unblock(alice);
  });
});

test('an about text has a bound', async () => {
  await client.sock.updateProfileStatus('x'.repeat(139));
  expect(alice.about).toHaveLength(139);
  await expect(client.sock.updateProfileStatus('x'.repeat(140))).rejects.toThrow('bad-request');
});

test('new chats disappear after one of the times that the apps offer', async () => {
  await client.sock.updateDefaultDisappearingMode(86_400);
  expect(alice.disappearingMode).toMatchObject({ duration: 86_400, setAt: expect.any(Number) });
  const [mode] = (await client.sock.fetchDisappearingDuration(alice.jid)) ?? [];
  expect(mode).toMatchObject({ disappearing_mode: { duration: 86_400 } });
  await expect(client.sock.updateDefaultDisappearingMode(5)).rejects.toThrow('bad-request');
});

test('a picture is a JPEG', async () => {
  const attrs = { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:profile:picture' };
  const set = (content: Buffer) =>
    client.sock.query({ tag: 'iq', attrs, content: [{ tag: 'picture', attrs: { type: 'image' }, content }] });
  await expect(set(Buffer.from('GIF89a'))).rejects.toThrow('not-acceptable');
  expect(simulator.pictures.of(alice)).toBeUndefined();
  await set(Buffer.from('ffd8ffe0', 'hex'));
  expect(simulator.pictures.of(alice)).toBeDefined();
});

test('a block names both ids of the person', async () => {
  const attrs = { to: '@s.whatsapp.net', type: 'set', xmlns: 'blocklist' };
  const block = (item: Record<string, string>) =>
    client.sock.query({ tag: 'iq', attrs, content: [{ tag: 'item', attrs: { action: 'block', ...item } }] });
  await expect(block({ jid: dora.lid })).rejects.toThrow('bad-request');
  await expect(block({ jid: dora.lid, pn_jid: carl.jid })).rejects.toThrow('bad-request');
  await block({ jid: dora.lid, pn_jid: dora.jid });
  expect([...alice.blocked]).toEqual([dora]);
});

test('a number is answered as it was asked for, beside the id of the person', async () => {
  const mexican = simulator.addPhone({ name: 'Elena', number: '525512345678' });
  const contact = {
    name: 'contact',
    getQueryElement: () => ({ tag: 'contact', attrs: {} }),
    getUserElement: ({ phone = '' }: USyncUser) => ({ tag: 'contact', attrs: {}, content: phone }),
    parser: ({ content }: { content?: unknown }) => String(content),
  };
  const query = new USyncQuery();
  query.protocols.push(contact);
  query.withUser(new USyncUser().withPhone('+5215512345678'));
  query.withUser(new USyncUser().withPhone('+19998887777'));
  expect(await client.sock.executeUSyncQuery(query)).toMatchObject({
    list: [
      { id: mexican.jid, contact: '+5215512345678' },
      { id: '19998887777@s.whatsapp.net', contact: '+19998887777' },
    ],
  });
});

test('what a client reads without telling the author reaches its phone', async () => {
  const { id } = await carl.send(alice, 'hi');
  await client.sock.sendReceipt(carl.lid, undefined, [id], 'read-self');
  await expect.poll(() => alice.inbox.receipts).toContainEqual({ from: alice, ids: [id], type: 'read-self' });
  expect(carl.inbox.receipts.filter(({ type }) => type === 'read')).toEqual([]);
});
