import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from './simulator.js';
import { Client } from './testing/client.js';

const simulator = new Simulator();
const anna = simulator.addPhone({ name: 'Anna', number: '15551230001' });
const carl = simulator.addPhone({ name: 'Carl' });
let client: Client;

beforeAll(async () => {
  await simulator.start();
  client = await Client.linked(simulator, anna);
});

afterAll(async () => {
  await client?.end();
  await simulator.stop();
});

test('a linked client gets a message from a phone and answers it', async () => {
  const sent = await carl.send(anna, { text: 'hi' });
  const received = await client.text('hi');
  expect(received.key).toMatchObject({
    id: sent.id,
    remoteJid: carl.lid,
    remoteJidAlt: carl.jid,
    fromMe: false,
  });
  await client.sock.sendMessage(carl.jid, { text: 'hello Carl' });
  const answer = await carl.waitForMessage(({ text }) => text === 'hello Carl');
  expect(answer.sender).toBe(anna);
  expect(answer.device).toBe(client.device);
});
