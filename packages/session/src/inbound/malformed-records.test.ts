import { generateMessageIDV2 } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

it.each([
  ['Signal sessions', 'session:'],
  ['sender keys', 'sender-key:'],
  ['lists of devices', 'device-list:'],
  ['identity keys', 'identity-key:'],
  ['memories of who has a sender key', 'sender-key-memory:'],
])('a session whose %s are malformed gets and sends all messages', async (_what, type) => {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const group = carl.createGroup('Friends', [phone]);
  const before = await harness.newSession();
  await before.link(phone);
  const sendTo = async ({ session }: typeof before, to: string, text: string) => {
    const messageId = generateMessageIDV2();
    await session.execute('send-text', { to, text, messageId });
    await carl.waitForMessage(({ id }) => id === messageId);
  };
  for (const [chat, to] of [
    [phone, carl.number],
    [group, group.jid],
  ] as const) {
    await carl.send(chat, `to ${to}`);
    await before.event('messages.upsert', `to ${to}`);
    await sendTo(before, to, 'sound');
  }
  await before.session.stop({ reason: 'test' });

  const fields = await harness.fieldsOf(before.fence, type);
  expect(fields).not.toEqual([]);
  for (const [index, field] of fields.entries()) {
    const form = ['\u0002later', '\u0001null', '\u0001{"version":9}'][index % 3] ?? '';
    await harness.storeField(before.fence, field, Buffer.from(form));
  }
  const after = await harness.takeOver(before.fence, before.fence.worker);
  await after.session.start();
  await after.status('open');
  await carl.send(phone, 'a private word');
  await carl.send(group, 'a word to all');
  await after.event('messages.upsert', 'a private word');
  await after.event('messages.upsert', 'a word to all');
  await sendTo(after, carl.number, 'an answer');
  await sendTo(after, group.jid, 'an answer to all');
  expect(after.ends).toEqual([]);
});
