import type { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';

const simulator = new Simulator();
const anna = simulator.addPhone({ name: 'Anna' });
const ben = simulator.addPhone({ name: 'Ben' });
/** What Anna's client has sent, to answer retry requests: the receipts name the device, not the chat. */
const contents = new Map<string, proto.IMessage>();
let annas: Client;
let bens: Client;

beforeAll(async () => {
  await simulator.start();
  annas = await Client.linked(simulator, anna, { getMessage: async ({ id }) => contents.get(id ?? '') });
  bens = await Client.linked(simulator, ben);
});

afterAll(async () => {
  await annas?.end();
  await bens?.end();
  await simulator.stop();
});

test('a conversation of two clients: texts, a reaction, an edit, a deletion, receipts', async () => {
  const hello = await annas.sock.sendMessage(ben.jid, { text: 'hello Ben' });
  const received = await bens.text('hello Ben');
  expect(received.key).toMatchObject({ remoteJid: anna.jid, remoteJidAlt: anna.lid, fromMe: false });
  expect(received.pushName).toBe('Anna');
  await ben.waitForMessage(({ text }) => text === 'hello Ben');
  await until('the delivery receipt', () => annas.statusOf(hello?.key.id) === 3);

  await bens.sock.sendMessage(anna.lid, { text: 'hello Anna' });
  const answer = await annas.text('hello Anna');
  expect(answer.key).toMatchObject({ remoteJid: ben.lid, remoteJidAlt: ben.jid });

  await bens.sock.sendMessage(anna.jid, { react: { text: '🎉', key: received.key } });
  const reaction = await annas.message(({ message }) => message?.reactionMessage?.text === '🎉');
  expect(reaction.message?.reactionMessage?.key?.id).toBe(hello?.key.id);

  const key = hello?.key;
  if (!key) throw new Error('not sent');
  await annas.sock.sendMessage(ben.jid, { text: 'hello, Ben!', edit: key });
  await bens.message(
    ({ message }) => message?.protocolMessage?.editedMessage?.extendedTextMessage?.text === 'hello, Ben!',
  );
  await annas.sock.sendMessage(ben.jid, { delete: key });
  await until('the deletion', () =>
    bens.events.some(
      ({ event, data }) =>
        event === 'messages.update' && JSON.stringify(data).includes('"messageStubType":1'),
    ),
  );

  await bens.sock.readMessages([received.key]);
  await until('the read receipt', () => annas.statusOf(hello?.key.id) === 4);
});

test('a second device of one account sees what the first sends, and gets what others send', async () => {
  const second = await Client.linked(simulator, anna);
  await annas.sock.sendMessage(ben.jid, { text: 'seen by my other device' });
  const own = await second.text('seen by my other device');
  expect(own.key).toMatchObject({ fromMe: true, remoteJid: ben.jid });
  await bens.sock.sendMessage(anna.jid, { text: 'to all of your devices' });
  await annas.text('to all of your devices');
  await second.text('to all of your devices');
  await second.end();
});

test('clients that know the devices of an account learn of a new device and of a removed one', async () => {
  await annas.sock.sendMessage(ben.jid, { text: 'to the devices of now' });
  await bens.text('to the devices of now');
  await until('the receipts', () => annas.device.pendingCount === 0 && ben.received.at(-1)?.sender === anna);
  const before = annas.events.length;
  const added = await Client.linked(simulator, ben);
  await annas.sock.sendMessage(ben.jid, { text: 'to the new device as well' });
  await added.text('to the new device as well');
  ben.unlink(added.device);
  await until('the notification', () => annas.device.pendingCount === 0);
  await annas.sock.sendMessage(ben.jid, { text: 'to those that are left' });
  await bens.text('to those that are left');
  await added.end();
  const kinds = new Set(annas.events.slice(before).map(({ event }) => event));
  expect([...kinds].filter((event) => !event.startsWith('messages.') && event !== 'chats.update')).toEqual(
    [],
  );
});

test('a message that another client cannot decrypt is asked for again', async () => {
  await annas.sock.sendMessage(ben.jid, { text: 'fine' });
  await bens.text('fine');
  const address = `${anna.lidUser}_1.${annas.device.id}`;
  expect((await bens.auth.keys.get('session', [address]))[address]).toBeDefined();
  await bens.auth.keys.set({ session: { [address]: null } });
  const sent = await annas.sock.sendMessage(ben.jid, { text: 'broken' });
  if (sent?.key.id && sent.message) contents.set(sent.key.id, sent.message);
  await bens.message(({ messageStubType }) => messageStubType === 2);
  await bens.text('broken');
});

test('numbers, LIDs and devices of people can be queried', async () => {
  const answers = await annas.sock.onWhatsApp(ben.number, '15559999999');
  expect(answers).toEqual([{ jid: ben.jid, exists: true }]);
  expect(await annas.sock.signalRepository.lidMapping.getLIDForPN(ben.jid)).toBe(ben.lid);
  ben.about = 'busy';
  expect(JSON.stringify(await annas.sock.fetchStatus(ben.jid))).toContain('busy');
  await annas.sock.updateProfileStatus('away');
  expect(anna.about).toBe('away');
});
