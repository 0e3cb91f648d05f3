import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { expectTrigger } from '../testing/recorded.js';

const simulator = new Simulator();
let client: Client;
const anna = simulator.addPhone({ name: 'Anna', number: '15550001001' });
const carl = simulator.addPhone({ name: 'Carl', number: '15551230001' });
const dora = simulator.addPhone({ name: 'Dora', number: '15551230002' });

beforeAll(async () => {
  await simulator.start();
  const erik = simulator.addPhone({ name: 'Erik', number: '15551230003' });
  anna.history.remember(erik, { id: 'H1', sender: erik, message: { conversation: 'long ago' } });
  client = await Client.linked(simulator, anna);
});

afterAll(async () => {
  await client.end();
  await simulator.stop();
});

test('a new companion gets the chats of the past and the app-state key', () => {
  const sets = client.events
    .filter(({ event }) => event === 'messaging-history.set')
    .map(({ data }) => data as BaileysEventMap['messaging-history.set']);
  expect(sets.flatMap(({ chats }) => chats.map((chat) => chat.name))).toEqual(['Erik']);
  expect(sets.flatMap(({ messages }) => messages.map((message) => message.key.id))).toEqual(['H1']);
  expect(sets.flatMap(({ contacts }) => contacts)).toContainEqual(
    expect.objectContaining({ notify: 'Erik' }),
  );
  expect(client.auth.creds.myAppStateKeyId).toBeDefined();
});

test('on-demand history', async () => {
  for (const [index, id] of ['OD0', 'OD1'].entries()) {
    const timestamp = simulator.now() - 1000 - index;
    anna.history.remember(carl, { id, sender: carl, message: { conversation: `older ${index}` }, timestamp });
  }
  await expectTrigger('on-demand history', client, () =>
    client.sock.fetchMessageHistory(10, { remoteJid: carl.lid, id: 'M1', fromMe: false }, Date.now()),
  );
});

test('history RECENT chunk', async () => {
  const message = { conversation: 'recent' };
  anna.history.remember(dora, { id: 'HR1', sender: dora, message, timestamp: 1_700_000_001 });
  await expectTrigger('history RECENT chunk', client, () =>
    anna.history.share({ kind: 'RECENT', chats: [dora], chunkOrder: 9, progress: 60 }),
  );
});

test('history FULL chunk', async () => {
  await expectTrigger('history FULL chunk (default config)', client, () =>
    anna.history.share({ kind: 'FULL', chats: [dora], chunkOrder: 10, progress: 10 }),
  );
});
