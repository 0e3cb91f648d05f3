import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeKept, type KeptMessage } from '../add-ons/message-secret.js';
import { SentMessages } from '../connection/sent-messages.js';
import { Harness } from '../testing/harness.js';
import { KnownMessages } from './known-messages.js';

const logger = createLogger({ app: 'test', level: 'silent' });

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

/** A session that is not connected, what it knows, and its log. */
async function session() {
  const { fence } = await harness.newSession();
  const store = harness.storeOf(fence);
  const { messageSecrets, recentMessages, events: eventLog } = store;
  const known = new KnownMessages({
    ...{ fence, messageSecrets, recentMessages, eventLog, logger },
    sentMessages: new SentMessages({ recentMessages, fence, logger }),
    sentTo: new Map<string, string>(),
  });
  const log = async (bodies: readonly object[]) => {
    for (let start = 0; start < bodies.length; start += 500) {
      const part = bodies.slice(start, start + 500);
      const events = part.map((body) => ({ event: 'messages.upsert' as const, body: JSON.stringify(body) }));
      await eventLog.append(fence, events);
    }
  };
  const keep = async (kept: KeptMessage) => {
    const secret = messageSecrets.ofSession(fence).seal(kept.key.id, encodeKept(kept));
    await eventLog.append(fence, [], { secrets: [secret] });
  };
  return { fence, known, log, keep, after: () => eventLog.lastAppended(fence.tenantId), store };
}

const key = (id: string) => ({ id, remoteJid: '1@lid', fromMe: false });
const upsert = (id: string, text: string, of = key(id)) => ({
  messages: [{ key: of, message: { conversation: text } }],
  type: 'notify',
});
const newId = () => randomBytes(8).toString('hex').toUpperCase();
const others = (count: number, text = 'other') =>
  Array.from({ length: count }, (_, number) => upsert(`O${number}`, text));

it('a message is found behind many events that came in between', async () => {
  const { known, log, keep, after } = await session();
  const id = newId();
  await log(others(1));
  const before = after();
  await log(others(2_500));
  await log([upsert(id, 'found')]);
  await keep({ key: key(id), secret: undefined, after: before, sentAt: 1 });
  expect(await known.findContent(id)).toMatchObject({ key: key(id), content: { conversation: 'found' } });
});

it('a search ends after 4 MiB of the log', async () => {
  const { known, log, keep, after } = await session();
  const id = newId();
  await log(others(1));
  const before = after();
  await log(others(600, 'x'.repeat(10_000)));
  await log([upsert(id, 'too far')]);
  await keep({ key: key(id), secret: undefined, after: before, sentAt: 1 });
  expect(await known.findContent(id)).toBeUndefined();
  await expect(known.requireContent(id)).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
});

it('a message of the same id in another chat, or of another session, is not taken for it', async () => {
  const { known, log, keep, after } = await session();
  const id = newId();
  await log(others(1));
  const before = after();
  await (await session()).log([upsert(id, 'of another session')]);
  await log([upsert(id, 'of another chat', { ...key(id), remoteJid: '2@lid' })]);
  await log([upsert(id, 'by the account', { ...key(id), fromMe: true })]);
  await keep({ key: key(id), secret: undefined, after: before, sentAt: 1 });
  expect(await known.findContent(id)).toBeUndefined();
  await log([upsert(id, 'the right one')]);
  expect(await known.findContent(id)).toMatchObject({ content: { conversation: 'the right one' } });
});

it('what another person sent under the id of a message of ours is not ours', async () => {
  const { fence, known, keep, store } = await session();
  const id = newId();
  await keep({ key: key(id), secret: undefined });
  const ours = new SentMessages({ recentMessages: store.recentMessages, fence, logger });
  await ours.keep(id, { conversation: 'ours' });
  expect(await known.findContent(id)).toBeUndefined();
});

it.each(['UNKNOWN', 'question ABC', 'a b'])('nothing is found under %j', async (id) => {
  const { known } = await session();
  expect(await known.findKept(id)).toBeUndefined();
  expect(await known.findContent(id)).toBeUndefined();
  expect(await known.findSecret(id)).toBeUndefined();
});

it('an event of another form is passed over', async () => {
  const { known, log, keep, after } = await session();
  const id = newId();
  await log(others(1));
  const before = after();
  await log([
    { messages: id },
    { messages: [id, null, { key: id }, { key: key(id), message: id }, { key: key(id) }] },
    upsert(id, 'found'),
  ]);
  await keep({ key: key(id), secret: undefined, after: before });
  expect(await known.findContent(id)).toMatchObject({ content: { conversation: 'found' } });
});
