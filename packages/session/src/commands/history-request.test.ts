import { beforeAll, expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';
import { settingsShared } from '../testing/settings-shared.js';

const { harness, anna, carl, test } = await linkedAccount();
const sentAt = '2026-05-01T12:00:00.000Z';
const second = Date.parse(sentAt) / 1_000;
const before = { messageId: 'M1', fromMe: false, sentAt };

beforeAll(async () => {
  // The phone is ready once it has shared what a new device gets.
  await settingsShared(test, carl.number);
  for (const [index, id] of ['OLD1', 'OLD2', 'OLD3'].entries()) {
    const message = { conversation: `older ${index}` };
    anna.history.remember(carl, { id, sender: carl, message, timestamp: second - 10 - index });
  }
});

const idsIn = (payload: unknown) => JSON.stringify(payload).match(/OLD\d/g);

it('makes the phone send older messages, which name the request', async () => {
  const { requestId } = await test.session.execute('request-history', {
    chat: carl.number,
    count: 2,
    before,
  });
  const { payload } = await test.event('messages.upsert', requestId);
  expect(payload).toMatchObject({ history: true, sync: { type: 6, requestId } });
  expect(idsIn(payload)).toEqual(['OLD1', 'OLD2']);
});

it('may be made again, and then gets the same', async () => {
  const ask = () => test.session.execute('request-history', { chat: carl.lid, before });
  const [first, second] = [await ask(), await ask()];
  expect(first.requestId).not.toBe(second.requestId);
  for (const { requestId } of [first, second]) {
    expect(idsIn((await test.event('messages.upsert', requestId)).payload)).toEqual(['OLD1', 'OLD2', 'OLD3']);
  }
});

it('needs no more than the id of a message that the session knows', async () => {
  const { id } = await carl.send(anna, { conversation: 'now' });
  await test.event('messages.upsert', id);
  const asked = { chat: carl.number, before: { messageId: id } };
  const { requestId } = await test.session.execute('request-history', asked);
  expect(idsIn((await test.event('messages.upsert', requestId)).payload)).toEqual(['OLD1', 'OLD2', 'OLD3']);
});

it('is refused for a message that is not known, and without one while no list has the last', async () => {
  const ask = (more: object) => test.session.execute('request-history', { chat: carl.number, ...more });
  await expect(ask({ before: { messageId: 'X' } })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
  await expect(ask({})).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
});

it('begins before the last message that the list knows, and its answer is published without a history', async () => {
  await harness.storeSettings(test.fence, { lists: true, history: 'none' });
  await test.session.execute('settings-changed', {});
  const { id } = await carl.send(anna, { conversation: 'listed' });
  await test.event('messages.upsert', id);
  const { requestId } = await test.session.execute('request-history', { chat: carl.jid });
  expect(idsIn((await test.event('messages.upsert', requestId)).payload)).toEqual(['OLD1', 'OLD2', 'OLD3']);
  const [chat] = (await test.session.execute('list-chats', { limit: 1 })).items;
  expect(chat).toMatchObject({ lastMessageId: id });
});
