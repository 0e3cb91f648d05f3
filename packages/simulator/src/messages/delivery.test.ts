import { describe, expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { until } from '../testing/until.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();

describe('a message that a client cannot decrypt', () => {
  test('is asked for again and sent again', async () => {
    await carl.send(alice, 'before');
    await client.text('before');
    const address = `${carl.lidUser}_1.0`;
    const { [address]: session } = await client.auth.keys.get('session', [address]);
    expect(session).toBeDefined();
    await client.auth.keys.set({ session: { [address]: null } });
    const { id } = await carl.send(alice, 'lost and found');
    const stub = await client.message(({ key, messageStubType }) => key.id === id && messageStubType === 2);
    expect(stub.message).toBeUndefined();
    expect((await client.text('lost and found')).key.id).toBe(id);
  });

  test('in a group comes again with the sender key', async () => {
    const group = simulator.groups.create(carl, 'Retries', [alice]);
    await carl.send(group, 'with the key');
    await client.text('with the key');
    const name = `${group.jid}::${carl.lidUser}_1::0`;
    expect((await client.auth.keys.get('sender-key', [name]))[name]).toBeDefined();
    await client.auth.keys.set({ 'sender-key': { [name]: null } });
    const { id } = await carl.send(group, 'without the key');
    await client.message(({ key, messageStubType }) => key.id === id && messageStubType === 2);
    await client.text('without the key');
    await carl.send(group, 'and on it goes');
    await client.text('and on it goes');
  });
});

describe('a message that a phone cannot decrypt', () => {
  test('is asked for again and sent again', async () => {
    await client.sock.sendMessage(carl.jid, { text: 'first' });
    await carl.waitForMessage(({ text }) => text === 'first');
    carl.signal.forgetSession(client.device.jid);
    await client.sock.sendMessage(carl.jid, { text: 'second' });
    const message = await carl.waitForMessage(({ text }) => text === 'second');
    expect(message.device).toBe(client.device);
  });
});

describe('a phone that is replaced', () => {
  test('has a new identity, and messages are delivered again', async () => {
    const sent = await client.sock.sendMessage(carl.jid, { text: 'to the old phone' });
    await until('the receipt', () => client.statusOf(sent?.key.id) === 3);
    client.auth.creds.accountSettings.unarchiveChats = true;
    const before = carl.identity.public;
    await expectTrigger('identity change', client, () => carl.reinstall());
    expect(carl.identity.public).not.toEqual(before);
    await expectTrigger('message after identity change', client, () => carl.send(alice, 'new phone who dis'));
    const next = await client.sock.sendMessage(carl.jid, { text: 'to the new phone' });
    await until('the receipt', () => client.statusOf(next?.key.id) === 3);
  });
});

describe('a change of devices', () => {
  test('does not make a client emit an event', async () => {
    const device = { id: 7, jid: `${carl.number}:7@s.whatsapp.net`, lid: `${carl.lidUser}:7@lid` };
    expect(carl.deviceListReaders).toContain(client.device);
    await expectTrigger('devices update', client, () => carl.announce('remove', device));
  });
});

describe('pre-keys', () => {
  test('are uploaded when few are left', async () => {
    expect(client.device.preKeyCount).toBeGreaterThan(800);
    await expectTrigger('pre-key low', client, () => client.device.spendPreKeys(3));
    expect(client.device.preKeyCount).toBe(8);
  });
});

describe('a content that linked devices do not get', () => {
  test('is not asked for when it is to be seen once', async () => {
    await expectTrigger('unavailable view-once fanout (acked, not emitted)', client, () =>
      dora.send(alice, 'once', { unavailable: 'view_once_unavailable_fanout' }),
    );
  });

  test('is fetched from the own phone', async () => {
    await expectTrigger('unavailable -> placeholder + PDO resend', client, () =>
      dora.send(alice, 'resent by phone', { unavailable: 'placeholder' }),
    );
  });
});

describe('a client that is away', () => {
  test('gets what it has missed at its next login, in order', async () => {
    const { device } = client;
    await client.end();
    await until('the device to be offline', () => !device.isOnline);
    await carl.send(alice, 'missed 1');
    await carl.send(alice, 'missed 2');
    client.connect();
    const second = await client.text('missed 2');
    await client.open();
    expect(second.key.remoteJid).toBe(carl.lid);
    const upserts = client.events.filter(({ event }) => event === 'messages.upsert').slice(-1);
    expect(upserts).toMatchObject([{ data: { type: 'append' } }]);
    const texts = client.messages.map(({ message }) => message?.conversation);
    expect(texts.indexOf('missed 1')).toBeLessThan(texts.indexOf('missed 2'));
    await until('the acknowledgements', () => device.pendingCount === 0);
  });

  test('gets again what it had not acknowledged when its process died', async () => {
    const { device } = client;
    const sending = carl.send(alice, 'in flight');
    client.kill();
    await sending;
    await until('the device to be offline', () => !device.isOnline);
    expect(device.pendingCount).toBe(1);
    client.connect();
    await client.text('in flight');
    await until('the acknowledgement', () => device.pendingCount === 0);
  });
});
