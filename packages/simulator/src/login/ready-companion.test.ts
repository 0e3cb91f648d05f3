import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { memoryAuth } from '../testing/memory-auth.js';
import { linkReadyCompanion } from './ready-companion.js';

const simulator = new Simulator();
const anna = simulator.addPhone({ name: 'Anna' });
const ben = simulator.addPhone({ name: 'Ben' });

beforeAll(() => simulator.start());
afterAll(() => simulator.stop());

test('a client logs in as a companion that was linked without it, and is written to and writes', async () => {
  const { creds, preKeys } = linkReadyCompanion(anna, { preKeyCount: 10 });
  const auth = { ...memoryAuth(), creds };
  await auth.keys.set({ 'pre-key': preKeys });
  const client = new Client(simulator, {}, auth);
  client.connect();
  await client.open();
  try {
    await ben.send(anna, 'hello');
    await client.text('hello');
    await client.sock.sendMessage(ben.lid, { text: 'and hello to you' });
    const { sender } = await ben.waitForMessage(({ text }) => text === 'and hello to you');
    expect(sender).toBe(anna);
    expect(client.device.preKeyCount).toBe(9);
  } finally {
    await client.end();
  }
});
