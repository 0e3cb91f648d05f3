import { randomBytes } from 'node:crypto';
import { type Phone, statusBroadcast } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { uploadedFile } from '../testing/uploaded-file.js';

let harness: Harness;
let anna: Phone;
let carl: Phone;
let dora: Phone;
let test: TestSession;

beforeAll(async () => {
  harness = await Harness.start();
  const { simulator } = harness;
  anna = simulator.addPhone({ name: 'Anna' });
  carl = simulator.addPhone({ name: 'Carl' });
  dora = simulator.addPhone({ name: 'Dora' });
  test = await harness.newSession();
  await test.link(anna);
});
afterAll(() => harness.stop());

const ofStatus = (id: string) => (message: { id: string; chat: object }) =>
  message.id === id && message.chat === statusBroadcast;

/** Waits until Carl's phone knows that his status was read. */
const readBy = (id: string) =>
  waitFor(() => carl.inbox.receipts.find(({ type, ids }) => type === 'read' && ids.includes(id)), {
    what: 'the receipt',
  });

it('is seen by its recipients and on the phone of the account, and by no other person', async () => {
  const { messageId, notOnWhatsApp } = await test.session.execute('post-status', {
    content: { type: 'text', text: 'open till six', backgroundColor: '#102030', font: 'calistoga' },
    recipients: [carl.number, `+${carl.number}`, carl.jid, carl.lid, anna.lid, '15550000000'],
    messageId: '3EB05A1',
  });
  expect(notOnWhatsApp).toEqual(['15550000000']);
  for (const phone of [carl, anna]) {
    const { message, sender } = await phone.waitForMessage(ofStatus(messageId));
    expect(sender).toBe(anna);
    expect(message.extendedTextMessage).toMatchObject({
      ...{ text: 'open till six', backgroundArgb: 0xff102030, font: 8 },
    });
    expect(phone.received.filter(({ id }) => id === messageId)).toHaveLength(1);
  }
  expect(dora.received).toEqual([]);
  await test.event('messages.upsert', messageId, 'status@broadcast', '"fromMe":true');
});

it.each([
  ['image', 'image', 'imageMessage', { caption: 'our shop' }],
  ['video', 'video', 'videoMessage', { caption: 'our shop' }],
  ['voice', 'audio', 'audioMessage', { backgroundColor: '#102030' }],
] as const)('with a file is opened by its recipients: %s', async (type, kind, field, look) => {
  const data = randomBytes(3_000);
  const content = { type, file: await uploadedFile(harness.simulator, data, kind), ...look };
  const messageId = `3EB05H${type.toUpperCase()}`;
  const recipients = [carl.number, '15550000000'];
  const posted = await test.session.execute('post-file-status', { content, recipients, messageId });
  expect(posted).toEqual({ messageId, notOnWhatsApp: ['15550000000'] });
  const received = await carl.waitForMessage(ofStatus(messageId));
  const expected = type === 'voice' ? { ptt: true, backgroundArgb: 0xff102030 } : look;
  expect(received.message[field]).toMatchObject(expected);
  expect(await carl.openMedia(received)).toEqual(data);
  expect(dora.received.filter(ofStatus(messageId))).toEqual([]);
  await test.session.execute('delete-status', { target: messageId, messageId: `${messageId}D` });
  await carl.waitForMessage(ofStatus(`${messageId}D`));
});

it('is sent again to a phone that could not read it', async () => {
  const content = { type: 'text', text: 'again' } as const;
  const post = { content, recipients: [carl.number], messageId: '3EB05F1' };
  await test.session.execute('post-status', post);
  const first = await carl.waitForMessage(ofStatus('3EB05F1'));
  carl.inbox.forget(first);
  const again = await carl.waitForMessage((each) => each !== first && ofStatus('3EB05F1')(each));
  expect(again.text).toBe('again');
  expect(again.chat).toBe(statusBroadcast);
});

it('is not sent again to a person who did not get it', async () => {
  const content = { type: 'text', text: 'not for all' } as const;
  await test.session.execute('post-status', { content, recipients: [carl.number], messageId: '3EB05G1' });
  const { device } = await carl.waitForMessage(ofStatus('3EB05G1'));
  const retry = (id: string, t: string) => ({
    tag: 'receipt',
    attrs: { from: 'status@broadcast', participant: dora.lid, id, t, type: 'retry' },
    content: [{ tag: 'retry', attrs: { count: '1', id, t, v: '1' } }],
  });
  device?.deliver(retry('3EB05G1', '1'));
  // What Dora may have comes after what she may not: receipts are handled in order.
  const hers = { content, recipients: [dora.number], messageId: '3EB05G2' };
  await test.session.execute('post-status', hers);
  dora.inbox.forget(await dora.waitForMessage(ofStatus('3EB05G2')));
  await dora.waitForMessage(ofStatus('3EB05G2'));
  expect(dora.received.filter(ofStatus('3EB05G1'))).toEqual([]);
});

it('is deleted for those who got it', async () => {
  const post = (text: string, recipients: string[], messageId: string) =>
    test.session.execute('post-status', { content: { type: 'text', text }, recipients, messageId });
  await post('for Dora', [dora.lid], '3EB05B1');
  await dora.waitForMessage(ofStatus('3EB05B1'));
  const before = carl.received.length;
  await test.session.execute('delete-status', { target: '3EB05B1', messageId: '3EB05B2' });
  const { message } = await dora.waitForMessage(ofStatus('3EB05B2'));
  expect(message.protocolMessage).toMatchObject({
    ...{ type: 0, key: { id: '3EB05B1', remoteJid: 'status@broadcast', fromMe: true } },
  });
  expect(carl.received).toHaveLength(before);
  await test.event('messages.delete', '3EB05B1', 'status@broadcast');
});

it('is refused if it is not known, or if no person would see it', async () => {
  const unknown = { target: '3EB05C1', messageId: '3EB05C2' };
  await expect(test.session.execute('delete-status', unknown)).rejects.toMatchObject({
    code: 'MESSAGE_NOT_FOUND',
  });
  const content = { type: 'text', text: 'unseen' } as const;
  const post = { content, recipients: ['15550000000'], messageId: '3EB05C3' };
  await expect(test.session.execute('post-status', post)).rejects.toMatchObject({
    code: 'RECIPIENT_NOT_FOUND',
  });
  harness.simulator.refuseMessages(403, anna);
  const refused = test.session.execute('post-status', { ...post, recipients: [carl.number] });
  await expect(refused).rejects.toMatchObject({
    ...{ code: 'WHATSAPP_REFUSED', details: { code: 403, messageId: '3EB05C3' } },
  });
  harness.simulator.resume();
});

it('leaves nothing behind if the settings do not let it be posted', async () => {
  const berta = harness.simulator.addPhone({ name: 'Berta' });
  const paced = await harness.newSession();
  await harness.storeSettings(paced.fence, { pacing: { sendsPerMinute: 1 } });
  await paced.link(berta);
  const post = (messageId: string) =>
    paced.session.execute('post-status', {
      ...{ content: { type: 'text', text: 'one a minute' }, recipients: [carl.number], messageId },
    });
  await post('3EB05H1');
  await expect(post('3EB05H2')).rejects.toMatchObject({ code: 'PACED' });
  await harness.age(paced.fence, 'sends', 61_000);
  const deletion = { target: '3EB05H2', messageId: '3EB05H3' };
  await expect(paced.session.execute('delete-status', deletion)).rejects.toMatchObject({
    code: 'MESSAGE_NOT_FOUND',
  });
});

it('of somebody else is viewed and answered', async () => {
  const { id } = await carl.send(statusBroadcast, 'my day', { audience: [anna] });
  await test.event('messages.upsert', id, 'my day');
  await test.session.execute('view-statuses', { statuses: [{ messageId: id }] });
  const read = await readBy(id);
  expect(read.from).toBe(anna);
  // No person is looked up to view a status that the session knows.
  harness.simulator.refuseRequests('usync', 429);
  const known = { statuses: [{ messageId: id, sender: '15559990001' }] };
  await test.session.execute('view-statuses', known);
  harness.simulator.resume();

  await test.session.execute('send-message', {
    ...{ to: carl.number, text: 'nice', quote: { messageId: id }, messageId: '3EB05D1' },
  });
  const { message } = await carl.waitForMessage((each) => each.id === '3EB05D1');
  expect(message.extendedTextMessage?.contextInfo).toMatchObject({
    ...{ stanzaId: id, remoteJid: 'status@broadcast', participant: carl.lid },
  });

  const named = { statuses: [{ messageId: '3EB0UNKNOWN' }] };
  await expect(test.session.execute('view-statuses', named)).rejects.toMatchObject({
    code: 'MESSAGE_NOT_FOUND',
  });
  const sender = { statuses: [{ messageId: '3EB0OLD', sender: carl.number }] };
  await test.session.execute('view-statuses', sender);
  await readBy('3EB0OLD');
});

it('does not allow what only messages of chats do', async () => {
  const { id } = await carl.send(statusBroadcast, 'pin me', { audience: [anna] });
  await test.event('messages.upsert', id, 'pin me');
  const pin = { target: id, days: 7, messageId: '3EB05E1' } as const;
  await expect(test.session.execute('pin-message', pin)).rejects.toMatchObject({
    ...{ code: 'MESSAGE_UNSUITABLE', details: { problem: 'status' } },
  });
});
