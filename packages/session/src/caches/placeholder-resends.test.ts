import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(() => harness.stop());

/** The messages of this id that were published, oldest first. */
async function published(session: TestSession, id: string) {
  const events = await session.events();
  return events
    .filter(({ event }) => event === 'messages.upsert')
    .flatMap(({ payload }) => (Array.isArray(payload.messages) ? payload.messages : []))
    .filter(({ key }) => key.id === id);
}

const withContent = (session: TestSession, id: string) =>
  waitFor(
    async () => {
      const messages = await published(session, id);
      return messages.some(({ message }) => message) ? messages : undefined;
    },
    { what: 'the content', timeoutMs: 60_000 },
  );

test('a message without content is published as a notice, and again with the content from the phone', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const session = await harness.newSession();
  await session.link(alice);
  const { id } = await bob.send(alice, 'from the phone', { unavailable: 'placeholder' });
  const [notice, message] = await withContent(session, id);
  const key = { id, remoteJid: bob.lid, remoteJidAlt: bob.jid, fromMe: false };
  expect(notice).toMatchObject({ key, messageStubType: 2 });
  expect(notice.message).toBeUndefined();
  expect(message).toMatchObject({ key, message: { conversation: 'from the phone' } });
});

test('the phone is asked though the connection broke before it could be', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const session = await harness.newSession();
  await session.link(alice);
  const { id } = await bob.send(alice, 'after the break', { unavailable: 'placeholder' });
  await waitFor(async () => (await published(session, id)).length > 0, { what: 'the notice' });
  harness.simulator.disconnect(alice, 'tcp');
  const messages = await withContent(session, id);
  // The key is the one from the sender's server: the phone itself does not name the number beside the LID.
  expect(messages.at(-1)).toMatchObject({
    key: { id, remoteJid: bob.lid, remoteJidAlt: bob.jid },
    message: { conversation: 'after the break' },
  });
});
