import type { SessionSettings } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { type Phone, sharePrivacyToken } from '@wafleet/simulator';
import { connectRedis, SessionPacing } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../../testing/harness.js';
import { uploadedFile } from '../../testing/uploaded-file.js';

const logger = createLogger({ app: 'test', level: 'silent' });
let harness: Harness;
let people = 0;
let messages = 0;

beforeAll(async () => {
  harness = await Harness.start({ receiptDelayMs: 20 });
});
afterEach(() => harness.simulator.resume());
afterAll(() => harness.stop());

function person(name: string): Phone {
  people += 1;
  return harness.simulator.addPhone({ name, number: `4915${String(people).padStart(8, '0')}` });
}

async function paced(pacing: Partial<SessionSettings['pacing']> = {}) {
  const alice = person('Alice');
  const test = await harness.newSession();
  await harness.storeSettings(test.fence, { pacing });
  await test.link(alice);
  return { alice, test };
}

function newId(): string {
  messages += 1;
  return `3EB0${String(messages).padStart(8, '0')}`;
}

function send({ session }: TestSession, to: string, text: string, messageId = newId()) {
  return session.execute('send-text', { to, text, messageId });
}

async function takeOver(test: TestSession): Promise<TestSession> {
  await test.session.stop({ reason: 'drain' });
  const next = await harness.takeOver(test.fence, test.fence.worker);
  await next.session.start();
  await next.status('open');
  return next;
}

const texts = (phone: Phone) => phone.received.map(({ text }) => text);

describe('messages in a minute', () => {
  it('are bounded by the settings, over a takeover as well', async () => {
    const { test } = await paced({ sendsPerMinute: 2 });
    const bob = person('Bob');
    const first = newId();
    await send(test, bob.jid, 'one', first);
    await send(test, bob.lid, 'two');
    const refused = {
      code: 'PACED',
      status: 429,
      details: { resource: 'paced_sends', limit: 2, retryAfterMs: expect.any(Number) },
    };
    await expect(send(test, bob.jid, 'three')).rejects.toMatchObject(refused);

    const next = await takeOver(test);
    await expect(send(next, bob.jid, 'three')).rejects.toMatchObject(refused);
    const edit = { target: first, chat: bob.jid, text: 'changed', messageId: newId() };
    await expect(next.session.execute('edit-message', edit)).rejects.toMatchObject(refused);
    // What was sent within the minute is sent again as a retry.
    await send(next, bob.jid, 'one', first);
    await expect(next.session.execute('get-restrictions', {})).resolves.toMatchObject({
      pacing: { sends: { limit: 2, left: 0 }, newChats: null },
    });

    await harness.storeSettings(next.fence, { pacing: { sendsPerMinute: 3 } });
    await next.session.execute('settings-changed', {});
    await send(next, bob.jid, 'three');
    await bob.waitForMessage(({ text }) => text === 'three', { timeoutMs: 30_000 });
    expect(texts(bob)).toEqual(['one', 'two', 'three']);
  });

  it('count an album as one, which is sent as a whole', async () => {
    const { test } = await paced({ sendsPerMinute: 1 });
    const bob = person('Bob');
    const file = await uploadedFile(harness.simulator, Buffer.from('a picture'), 'image');
    const items = ['one', 'two', 'three'].map((caption) => ({ type: 'image' as const, file, caption }));
    const album = { to: bob.jid, content: { type: 'album' as const, items }, messageId: newId() };
    const { itemIds } = await test.session.execute('send-file-message', album);
    for (const item of itemIds ?? []) await bob.waitForMessage(({ id }) => id === item);
    expect(itemIds).toHaveLength(3);
    await expect(send(test, bob.jid, 'more')).rejects.toMatchObject({ code: 'PACED' });
  });

  it('are unbounded by default, and nothing is stored of them', async () => {
    const { test } = await paced();
    const bob = person('Bob');
    for (let count = 0; count < 5; count += 1) await send(test, bob.jid, String(count));
    expect(await harness.keysOf(test.fence, /:(sends|new-chats|known-chats|send-pause):/)).toEqual([]);
  });
});

it('a message that cannot be counted is not sent, and says so', async () => {
  const redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
  const test = await harness.newSession(
    {},
    { store: (fence) => ({ ...harness.storeOf(fence), pacing: new SessionPacing(redis) }) },
  );
  await harness.storeSettings(test.fence, { pacing: { sendsPerMinute: 100 } });
  await test.link(person('Alice'));
  const bob = person('Bob');
  await send(test, bob.jid, 'counted');
  redis.disconnect();
  await expect(send(test, bob.jid, 'uncounted')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await bob.waitForMessage(({ text }) => text === 'counted', { timeoutMs: 30_000 });
  expect(texts(bob)).toEqual(['counted']);
});

describe('new chats in a day', () => {
  it('count each person once, by whichever id, and no groups and no person who wrote first', async () => {
    const { test, alice } = await paced({ newChatsPerDay: 2 });
    const [bob, carl, dora, eve] = ['Bob', 'Carl', 'Dora', 'Eve'].map(person) as [Phone, Phone, Phone, Phone];
    await dora.send(alice, 'hello');
    await test.event('messages.upsert', 'hello');
    sharePrivacyToken(eve, alice);
    await waitFor(async () => (await harness.fieldsOf(test.fence, `tctoken:${eve.lid}`)).length > 0, {
      what: 'the token of Eve',
    });
    const team = await bob.createGroup('Team', [alice, carl]);
    await test.event('groups.upsert', 'Team');

    for (const to of [
      bob.number,
      `+${bob.number}`,
      bob.jid,
      bob.lid,
      team.jid,
      dora.jid,
      eve.jid,
      dora.lid,
    ]) {
      await send(test, to, 'hi');
    }
    await send(test, carl.lid, 'hi');
    await expect(test.session.execute('get-restrictions', {})).resolves.toMatchObject({
      pacing: { sends: null, newChats: { limit: 2, left: 0 } },
    });
    const frank = person('Frank');
    await expect(send(test, frank.number, 'hi')).rejects.toMatchObject({
      code: 'PACED',
      details: { resource: 'paced_new_chats', limit: 2 },
    });
    await send(test, carl.number, 'still there?');

    const next = await takeOver(test);
    await expect(send(next, frank.jid, 'hi')).rejects.toMatchObject({ code: 'PACED' });
    await send(next, bob.lid, 'bye');
    expect(texts(frank)).toEqual([]);
  });

  it('are fewer on the first days after linking', async () => {
    const { test } = await paced({ newChatsPerDay: 500, warmUp: [1, 5] });
    await send(test, person('Bob').jid, 'hi');
    await expect(send(test, person('Carl').jid, 'hi')).rejects.toMatchObject({
      code: 'PACED',
      details: { limit: 1 },
    });
  });

  it('are not used up by a number that is not on WhatsApp', async () => {
    const { test } = await paced({ newChatsPerDay: 1 });
    await expect(send(test, '19990001111', 'hi')).rejects.toMatchObject({ code: 'RECIPIENT_NOT_FOUND' });
    await expect(test.session.execute('get-restrictions', {})).resolves.toMatchObject({
      pacing: { newChats: { left: 1 } },
    });
  });
});

describe('a message that may be sent', () => {
  it('waits for its turn if that comes soon', async () => {
    const { test } = await paced({ sendsPerMinute: 1 });
    const bob = person('Bob');
    await send(test, bob.jid, 'one');
    await harness.age(test.fence, 'sends', 59_000);
    await send(test, bob.jid, 'two');
    await bob.waitForMessage(({ text }) => text === 'two', { timeoutMs: 30_000 });
  });

  it('is preceded by typing, as the settings say', async () => {
    const { test } = await paced({ typing: true, minDelayMs: 1, maxDelayMs: 5 });
    const bob = person('Bob');
    const reader = await harness.newSession();
    await reader.link(bob);
    await send(test, bob.jid, 'hi');
    await reader.event('presence.update', 'composing');
    await reader.event('messages.upsert', 'hi');
    const order = (await reader.events()).map(({ event }) => event);
    expect(order.indexOf('presence.update')).toBeLessThan(order.lastIndexOf('messages.upsert'));
  });
});
