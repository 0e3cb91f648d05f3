import { randomBytes } from 'node:crypto';
import { editSealed, type Phone, sendWithSecret } from '@wafleet/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let session: TestSession;
let anna: Phone;
let bob: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  anna = harness.simulator.addPhone({ name: 'Anna' });
  bob = harness.simulator.addPhone({ name: 'Bob' });
  session = await harness.newSession();
  await session.link(anna);
});

afterAll(() => harness.stop());

/** Waits until everything that was sent before is published. */
async function caughtUp(inSession: TestSession): Promise<void> {
  const text = randomBytes(8).toString('hex');
  await bob.send(anna, { text });
  await inSession.event('messages.upsert', text);
}

const secret = randomBytes(32).toString('base64');
const key = { id: 'ANY', remoteJid: '1@lid', fromMe: false };

test.each([
  ['a question without a key', 'question', JSON.stringify({ secret })],
  ['a question whose key is a text', 'question', JSON.stringify({ key: 'A', secret })],
  ['a question whose key has names of another form', 'question', { key: { ...key, remoteJid: 7 }, secret }],
  ['a question whose key has no id', 'question', { key: { remoteJid: '1@lid' }, secret }],
  ['a question without a secret', 'question', { key }],
  ['a question whose secret is too short', 'question', { key, secret: 'AAAA' }],
  ['a question that is a list', 'question', '[2]'],
  ['a question that is null', 'question', 'null'],
  ['a question that is not JSON', 'question', '{'],
  ['a sent message that is not one', 'sent', '\u00ff\u00ff\u00ff'],
  ['a kept secret of another form', 'secret', `2${'.'.repeat(60)}`],
] as const)('%s costs no event of the message that needs it', async (_, kind, record) => {
  const store = harness.storeOf(session.fence);
  const target = `TARGET${randomBytes(4).toString('hex')}`;
  const bytes = Buffer.from(typeof record === 'string' ? record : JSON.stringify(record));
  if (kind === 'secret') {
    const sealed = store.messageSecrets.ofSession(session.fence).seal(target, bytes);
    await store.events.append(session.fence, [], { secrets: [sealed] });
  } else {
    const name = kind === 'question' ? `question ${target}` : target;
    await store.recentMessages.put(session.fence, name, bytes);
  }
  const sent = await bob.send(anna, {
    encReactionMessage: {
      targetMessageKey: { id: target, remoteJid: anna.jid, fromMe: true },
      encIv: randomBytes(12),
      encPayload: randomBytes(40),
    },
  });
  await caughtUp(session);
  const published = (await session.events()).filter(({ payload }) =>
    JSON.stringify(payload).includes(`"id":"${sent.id}"`),
  );
  expect(published.map(({ event }) => event)).toEqual(['messages.upsert']);
  const [{ payload } = { payload: {} }] = published;
  expect(payload).toMatchObject({ messages: [{ key: { id: sent.id }, unavailable: { type: 'reaction' } }] });
});

test('pairs of number and LID that cannot be read cost neither the session nor an event', async () => {
  const original = await sendWithSecret(bob, anna, 'to be edited');
  await session.event('messages.upsert', 'to be edited');
  session.session.discard();
  await harness.damagePairs(session.fence);
  const next = await harness.takeOver(session.fence, session.fence.worker);
  await next.session.start();
  await next.status('open');
  // Of the original the number is known, of its edit the LID, so the stored pair is looked for.
  const edit = await editSealed(bob, original, 'edited', { author: 'pn', sender: 'pn' });
  await caughtUp(next);
  await next.event('messages.upsert', edit.id);
  expect((await next.record()).status).toBe('open');
});
