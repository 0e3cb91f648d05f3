import { type Device, type Phone, statusBroadcast } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { MAX_CONTENT_BYTES } from './dropped-messages.js';

const DAY_S = 24 * 60 * 60;

let harness: Harness;
let session: TestSession;
let alice: Phone;
let bob: Phone;
let device: Device;
let count = 0;

beforeAll(async () => {
  harness = await Harness.start();
  alice = harness.simulator.addPhone({ name: 'Alice' });
  bob = harness.simulator.addPhone({ name: 'Bob' });
  session = await harness.newSession();
  await session.link(alice);
  const [linked] = alice.devices.values();
  if (!linked) throw new Error('no device');
  device = linked;
});

afterAll(() => harness.stop());

/** What is published of a message with this id, once it was acknowledged. */
async function publishedOf(id: string) {
  const { payload } = await session.event('messages.upsert', `"id":"${id}"`);
  await waitFor(() => !device.pending().some(({ attrs }) => attrs.id === id), {
    what: 'the acknowledgement',
  });
  const { messages } = payload;
  if (!Array.isArray(messages)) throw new Error('no messages');
  return messages.find(({ key }) => key.id === id);
}

/** A message as it comes from WhatsApp's server. */
function stanza(content: BinaryNode[] | undefined, attrs: Record<string, string> = {}): BinaryNode {
  count += 1;
  const id = `3AMISSING${count}`;
  const t = String(harness.simulator.now());
  return {
    tag: 'message',
    attrs: { from: bob.lid, type: 'text', id, t, ...attrs },
    ...(content && { content }),
  };
}

async function deliver(message: BinaryNode) {
  device.deliver(message);
  return publishedOf(message.attrs.id ?? '');
}

test.each([
  ['view_once_unavailable_fanout', 'view-once'],
  ['hosted_unavailable_fanout', 'hosted'],
  ['bot_unavailable_fanout', 'bot'],
] as const)('a message that linked devices do not get is published: %s', async (type, reason) => {
  const sent = await bob.send(alice, 'for phones only', { unavailable: type });
  expect(await publishedOf(sent.id)).toMatchObject({
    key: { id: sent.id, remoteJid: bob.lid, remoteJidAlt: bob.jid, fromMe: false },
    unavailable: { type: 'content', reason },
    messageStubType: 2,
  });
});

test('a message without a content that is too old to be asked for is published', async () => {
  const timestamp = harness.simulator.now() - 15 * DAY_S;
  const sent = await bob.send(alice, 'long ago', { unavailable: 'placeholder', timestamp });
  expect(await publishedOf(sent.id)).toMatchObject({
    unavailable: { type: 'content', reason: 'too-old' },
    messageTimestamp: timestamp,
  });
});

test('a message that the phone is asked for is published, and its content follows under the same key', async () => {
  const sent = await bob.send(alice, 'from the phone', { unavailable: 'placeholder' });
  const notice = await publishedOf(sent.id);
  expect(notice).toMatchObject({ unavailable: { type: 'content', reason: 'asked-phone' } });
  const { payload } = await session.event('messages.upsert', sent.id, 'from the phone');
  const messages = Array.isArray(payload.messages) ? payload.messages : [];
  expect(messages).toMatchObject([{ key: notice.key, message: { conversation: 'from the phone' } }]);
  expect(messages[0].unavailable).toBeUndefined();
});

test('a view-once message of the older kind is published', async () => {
  const notice = await deliver(stanza([{ tag: 'unavailable', attrs: { type: 'view_once' } }]));
  expect(notice).toMatchObject({
    key: { isViewOnce: true },
    unavailable: { type: 'content', reason: 'view-once' },
  });
});

test('a status older than a day that cannot be decrypted is published', async () => {
  const timestamp = harness.simulator.now() - 2 * DAY_S;
  const enc = { tag: 'enc', attrs: { v: '2', type: 'skmsg' }, content: Buffer.from('no key for this') };
  const attrs = {
    from: statusBroadcast.jid,
    participant: bob.lid,
    participant_pn: bob.jid,
    t: String(timestamp),
  };
  expect(await deliver(stanza([enc], attrs))).toMatchObject({
    key: { remoteJid: statusBroadcast.jid, participant: bob.lid },
    unavailable: { type: 'content', reason: 'expired' },
  });
});

test.each([
  ['bot', 'msmsg'],
  ['unsupported', 'frskmsg2'],
] as const)('a content of an encryption that is not known is published as %s: %s', async (reason, type) => {
  const enc = { tag: 'enc', attrs: { v: '2', type }, content: Buffer.from('sealed') };
  expect(await deliver(stanza([enc]))).toMatchObject({ unavailable: { type: 'content', reason } });
});

test('a content that is larger than any of WhatsApp’s apps sends is published as missing', async () => {
  const allowed = await bob.send(alice, 'y'.repeat(MAX_CONTENT_BYTES - 1_000));
  const { payload } = await session.event('messages.upsert', `"id":"${allowed.id}"`);
  expect(payload).toMatchObject({ omitted: { fields: ['messages.0.message.conversation'] } });
  const sent = await bob.send(alice, 'x'.repeat(MAX_CONTENT_BYTES + 1));
  const notice = await publishedOf(sent.id);
  expect(notice).toMatchObject({
    key: { id: sent.id, remoteJid: bob.lid, fromMe: false },
    unavailable: { type: 'content', reason: 'too-large' },
  });
  expect(notice.message).toBeUndefined();
  // The keys that it used up are not missed.
  const next = await bob.send(alice, 'after the large one');
  await session.event('messages.upsert', next.id, 'after the large one');
});

test('a content that cannot be decrypted is published', async () => {
  const enc = { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.from('damaged') };
  expect(await deliver(stanza([enc]))).toMatchObject({
    unavailable: { type: 'content', reason: 'not-decrypted' },
    messageStubType: 2,
  });
});

test('a message with only the key of the group readable is published', async () => {
  const group = bob.createGroup('Half', [alice]);
  const first = await bob.send(group, 'with the key');
  await session.event('messages.upsert', first.id);
  // A new key comes with the next message, whose content is damaged on its way.
  bob.outbox.forgetSenderKeys();
  const deliver = device.deliver.bind(device);
  device.deliver = (message) => {
    const content = Array.isArray(message.content) ? message.content : [];
    const damaged = content.map((node) =>
      node.attrs.type === 'skmsg' ? { ...node, content: Buffer.from('damaged') } : node,
    );
    deliver({ ...message, content: damaged });
  };
  const sent = await bob.send(group, 'damaged');
  device.deliver = deliver;
  expect(await publishedOf(sent.id)).toMatchObject({
    key: { id: sent.id, remoteJid: group.jid, participant: bob.lid },
    unavailable: { type: 'content', reason: 'not-decrypted' },
  });
});

test('a message whose keys are gone is published', async () => {
  const sent = await bob.send(alice, 'only once');
  await session.event('messages.upsert', sent.id, 'only once');
  const bundle = await bob.signal.encrypt(device.jid, Buffer.from([10, 1, 65, 1]));
  const enc = { tag: 'enc', attrs: { v: '2', type: bundle.type }, content: bundle.bytes };
  const [one, again] = [stanza([enc]), stanza([enc])];
  await deliver(one);
  expect(await deliver(again)).toMatchObject({ unavailable: { type: 'content', reason: 'keys-used' } });
});

test('a second copy of a message that was published gives no event', async () => {
  const { type, bytes } = await bob.signal.encrypt(device.jid, Buffer.from([10, 1, 66, 1]));
  const message = stanza([{ tag: 'enc', attrs: { v: '2', type }, content: bytes }]);
  await deliver(message);
  device.deliver(message);
  await bob.send(alice, 'after the copy');
  await session.event('messages.upsert', 'after the copy');
  const all = (await session.events()).filter(({ payload }) =>
    JSON.stringify(payload).includes(`"${message.attrs.id}"`),
  );
  expect(all.filter(({ event }) => event === 'messages.upsert')).toHaveLength(1);
});

test('a message of a sender that is not known is published', async () => {
  const enc = { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.from('sealed') };
  expect(await deliver(stanza([enc], { from: '867051314767696@bot' }))).toMatchObject({
    key: { remoteJid: '867051314767696@bot', fromMe: false },
    unavailable: { type: 'content', reason: 'unsupported' },
  });
});

test('a message without any content is published', async () => {
  expect(await deliver(stanza(undefined))).toMatchObject({ key: { remoteJid: bob.lid } });
});

test('a message without its content is acknowledged after its event, and published once', async () => {
  const message = stanza([{ tag: 'unavailable', attrs: { type: 'view_once_unavailable_fanout' } }]);
  const id = message.attrs.id ?? '';
  await deliver(message);
  device.deliver({ ...message, attrs: { ...message.attrs, offline: '1' } });
  await waitFor(() => !device.pending().some(({ attrs }) => attrs.id === id), {
    what: 'the acknowledgement',
  });
  await bob.send(alice, 'the next');
  await session.event('messages.upsert', 'the next');
  const all = (await session.events()).filter(({ payload }) => JSON.stringify(payload).includes(`"${id}"`));
  expect(all).toHaveLength(1);
});
