import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';
import { SimulatorControlError } from './channel.js';
import { SimulatorControl } from './client.js';
import type { RemotePhone } from './remote-phone.js';

const simulator = new Simulator();
let control: SimulatorControl;
let client: Client;
let anna: RemotePhone;
let carl: RemotePhone;

beforeAll(async () => {
  await simulator.start();
  control = new SimulatorControl(simulator.url);
  anna = await control.addPhone({ name: 'Anna', number: '15550001001' });
  carl = await control.addPhone({ name: 'Carl' });
  client = new Client(simulator);
  client.connect();
  await anna.scan(await client.qr());
  await client.closed();
  client.connect();
  await client.open();
});

afterAll(async () => {
  await client.end();
  await simulator.stop();
});

/** The latest event of this name. */
function latest(name: string): unknown {
  return client.events.findLast(({ event }) => event === name)?.data;
}

test('the state, the phones and their devices', async () => {
  const state = await control.state();
  expect(state).toEqual({ url: simulator.url, rootKey: simulator.rootKey, phones: 2, connections: 1 });
  expect((await control.phones()).map(({ name }) => name)).toEqual(['Anna', 'Carl']);
  expect(await anna.devices()).toMatchObject([{ jid: client.device.jid, online: true }]);
});

test('where clients came from', async () => {
  const arrivals = await control.arrivals();
  expect(arrivals).toContainEqual({
    at: expect.any(Number),
    from: '127.0.0.1',
    what: 'socket',
    path: '/ws/chat',
  });
  expect(await control.arrivals(Date.now() + 1_000)).toEqual([]);
});

test('a message, a reaction, an edit and a revocation', async () => {
  const sent = await carl.send(anna, 'hi');
  expect((await client.text('hi')).key.id).toBe(sent.id);
  await carl.react(sent, '👍');
  await until('the reaction', () => latest('messages.reaction'));
  await carl.edit(sent, 'hello');
  await until('the edit', () => JSON.stringify(latest('messages.update') ?? '').includes('hello'));
  await carl.revoke(sent);
  await until('the revocation', () =>
    JSON.stringify(latest('messages.update')).includes('"messageStubType":1'),
  );
  await carl.send(anna, { text: 'an answer', quoted: { ...sent, text: 'hello' } });
  const answer = await client.text('an answer');
  expect(answer.message?.extendedTextMessage?.contextInfo?.stanzaId).toBe(sent.id);
  const whole = await carl.send(anna, { message: { conversation: 'any message' }, addressing: 'pn' });
  expect((await client.text('any message')).key).toMatchObject({ id: whole.id, remoteJid: carl.jid });
});

test('what a client sends is received, and read', async () => {
  const sent = await client.sock.sendMessage(carl.jid, { text: 'to Carl' });
  const received = await carl.waitForMessage(({ text }) => text === 'to Carl');
  expect(received).toMatchObject({
    id: sent?.key.id,
    sender: anna.number,
    chat: carl.number,
    text: 'to Carl',
    device: client.device.jid,
  });
  await until('the delivery', () => JSON.stringify(latest('messages.update')).includes('"status":3'));
  await carl.markRead(received);
  await until('the receipt', () => JSON.stringify(latest('messages.update')).includes('"status":4'));
});

test('a file', async () => {
  const data = Buffer.from('not much of a picture');
  await carl.sendMedia(anna, { kind: 'image', data, caption: 'look' });
  const { message } = await client.message(({ message }) => message?.imageMessage?.caption === 'look');
  expect(Number(message?.imageMessage?.fileLength)).toBe(data.length);
});

test('groups', async () => {
  const group = await carl.createGroup('Team', [anna]);
  await until('the group', () => latest('groups.upsert'));
  await carl.send(group, 'to all');
  await client.text('to all');
  await group.change(carl, { subject: 'Team 2' });
  await until('the subject', () => JSON.stringify(latest('groups.update') ?? '').includes('Team 2'));
  await group.change(carl, { settings: { announce: true } });
  await until('the setting', () => JSON.stringify(latest('groups.update')).includes('"announce":true'));
  const { members } = await group.promote(carl, anna);
  expect(members).toContainEqual({ number: anna.number, role: 'admin' });
  await expect(group.add(carl, anna)).rejects.toMatchObject({ code: 'REFUSED', details: { code: 409 } });
  await group.leave(anna);
  expect((await group.state()).members).toEqual([{ number: carl.number, role: 'superadmin' }]);
});

test('calls, presence, pictures, contacts and settings', async () => {
  const call = await carl.call(anna, { video: true });
  await until('the offer', () => JSON.stringify(latest('call') ?? '').includes('offer'));
  expect(await call.timeOut()).toEqual({ id: call.id, state: 'missed' });
  expect(await call.state()).toBe('missed');
  await expect(call.terminate()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await carl.showState(anna, 'recording');
  await until('the state', () => JSON.stringify(latest('presence.update') ?? '').includes('recording'));
  await carl.setPicture(Buffer.from('a picture'));
  await until('the picture', () => JSON.stringify(latest('contacts.update')).includes('changed'));
  await anna.changeChat(carl, { archived: true });
  await until('the archive', () => JSON.stringify(latest('chats.update')).includes('"archived":true'));
  await anna.label({ id: '7', name: 'VIP', chat: carl.number });
  await until('the label', () => latest('labels.association'));
  await anna.saveContact(carl, 'Carl C');
  await until('the contact', () => JSON.stringify(latest('contacts.upsert') ?? '').includes('Carl C'));
});

test('a wrong pairing code, and the right one', async () => {
  const dora = await control.addPhone({ name: 'Dora' });
  const second = new Client(simulator);
  second.connect();
  await second.qr();
  const code = await second.sock.requestPairingCode(dora.number);
  await expect(dora.enterCode('AAAAAAAA')).rejects.toMatchObject({ code: 'WRONG_PAIRING_CODE' });
  expect(await dora.enterCode(code)).toMatchObject({ jid: expect.stringContaining(dora.number) });
  await second.end();
});

test('requests that make no sense', async () => {
  await expect(control.phone('15559999999')).rejects.toThrow(SimulatorControlError);
  await expect(control.phone('15559999999')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(control.addPhone({ name: 'X', number: '12' })).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining('body.number'),
  });
  await expect(control.addPhone({ name: 'X', number: anna.number })).rejects.toMatchObject({
    code: 'REFUSED',
  });
  await expect(anna.scan('nonsense')).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(new SimulatorControl('http://127.0.0.1:1').state()).rejects.toMatchObject({ code: 'FAILED' });
});

test('load at a rate, up to a total', async () => {
  await control.startLoad({ perSecond: 500, senders: 3, total: 30, text: 'ping', to: [anna.number] });
  await until('the last message', () => {
    const texts = client.messages.map(({ message }) => message?.conversation ?? '');
    return texts.filter((text) => text.startsWith('ping ')).length === 30;
  });
  expect(await control.stopLoad()).toMatchObject({ running: false, sent: 30, failed: 0, skipped: 0 });
});

test('faults', async () => {
  await control.fault({ kind: 'spend-pre-keys', number: anna.number, left: 3 });
  await until('more pre-keys', () => client.device.preKeyCount > 3);
  const path = simulator.media.put(Buffer.from('a file'));
  await control.fault({ kind: 'media', path, fault: 'expire' });
  await expect(control.fault({ kind: 'media', path, fault: 'lose' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await control.fault({ kind: 'disconnect', target: anna.number, cause: { code: 503 } });
  expect(await client.closed()).toBe(503);
  await control.fault({ kind: 'refuse-logins', reason: 403, number: anna.number });
  client.connect();
  expect(await client.closed()).toBe(403);
  await control.fault({ kind: 'resume' });
  await control.fault({ kind: 'accept-versions', versions: ['2.3000.1'] });
  client.connect();
  expect(await client.closed()).toBe(405);
  await control.fault({ kind: 'version-page', page: { revision: 7 } });
  const page = await fetch(`http://${simulator.host}/sw.js`);
  expect(await page.text()).toContain('client_revision');
  await control.fault({ kind: 'resume' });
});
