import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let alice: TestSession;
let bob: TestSession;

beforeAll(async () => {
  harness = await Harness.start();
  const link = async (name: string, number: string) => {
    const session = await harness.newSession();
    await session.link(harness.simulator.addPhone({ name, number }));
    return session;
  };
  [alice, bob] = await Promise.all([link('Alice', '4915100000001'), link('Bob', '4915100000002')]);
});
afterAll(() => harness.stop());

it.each([
  ['composing', 'composing'],
  ['recording', 'recording'],
  ['paused', 'available'],
] as const)('people in the chat of an account that is %s see it as %s', async (state, seen) => {
  await alice.session.execute('show-chat-state', { chat: '+4915100000002', state });
  await bob.event('presence.update', `"lastKnownPresence":"${seen}"`);
});

it('a chat with a number that WhatsApp does not know is refused', async () => {
  await expect(
    alice.session.execute('show-chat-state', { chat: '19998887777', state: 'composing' }),
  ).rejects.toMatchObject({ code: 'RECIPIENT_NOT_FOUND' });
});

it('a session that is not open refuses', async () => {
  const closed = await harness.newSession();
  await expect(
    closed.session.execute('show-chat-state', { chat: '+4915100000002', state: 'composing' }),
  ).rejects.toMatchObject({ code: 'SESSION_NOT_OPEN' });
});
