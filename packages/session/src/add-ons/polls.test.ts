import { createHash } from 'node:crypto';
import { answerInvitation, sendInvitation, sendPoll, vote } from '@wafleet/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

const lunch = { name: 'Lunch?', options: ['soup', 'salad'] };
const hashOf = (option: string) => createHash('sha256').update(option).digest('base64');

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(() => harness.stop());

/** A linked session and two other people in a group with it. */
async function groupOfThree() {
  const [alice, bob, carl] = ['Alice', 'Bob', 'Carl'].map((name) => harness.simulator.addPhone({ name }));
  if (!alice || !bob || !carl) throw new Error('three phones');
  const test = await harness.newSession();
  await test.link(alice);
  return { test, alice, bob, carl, group: bob.createGroup('Team', [alice, carl]) };
}

/** Whether nothing that was published holds the secret, in any of its forms. */
async function keepsSecret(session: TestSession, secret: Uint8Array | null | undefined) {
  const published = JSON.stringify(await session.events());
  const bytes = Buffer.from(secret ?? []);
  expect(bytes).toHaveLength(32);
  for (const form of [bytes.toString('base64'), bytes.toString('hex'), bytes.join(',')]) {
    expect(published).not.toContain(form);
  }
}

test('a vote in a group’s poll is published as a change of the poll, with hashes of the options', async () => {
  const { test, alice, bob, carl, group } = await groupOfThree();
  const poll = await sendPoll(bob, group, lunch);
  await test.event('messages.upsert', poll.id, 'salad');
  const cast = await vote(carl, poll, ['salad']);
  const { payload } = await test.event('messages.update', poll.id, 'pollUpdates');
  expect(payload.updates).toMatchObject([
    {
      key: { id: poll.id, remoteJid: group.jid, fromMe: false, participant: bob.lid },
      update: {
        pollUpdates: [
          {
            pollUpdateMessageKey: { id: cast.id, participant: carl.lid },
            vote: { selectedOptions: [hashOf('salad')] },
          },
        ],
      },
    },
  ]);
  // The account's own vote, on its phone.
  const own = await vote(alice, poll, ['soup']);
  await test.event('messages.update', own.id, hashOf('soup'));
  // The vote follows the message that carried it.
  const events = await test.events();
  const indexOf = (event: string, text: string) =>
    events.findIndex((each) => each.event === event && JSON.stringify(each.payload).includes(text));
  expect(indexOf('messages.upsert', cast.id)).toBeLessThan(indexOf('messages.update', cast.id));
  await keepsSecret(test, poll.message.messageContextInfo?.messageSecret);
});

test('a vote is opened by the worker that owns the session when the vote comes', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const first = await harness.newSession();
  await first.link(alice);
  const asked = await sendPoll(bob, alice, lunch);
  const own = await sendPoll(alice, bob, lunch);
  await first.event('messages.upsert', asked.id);
  await first.event('messages.upsert', own.id);
  await first.session.stop({ reason: 'drain' });

  const second = await harness.takeOver(first.fence, first.fence.worker);
  // One waits for the session, one comes when it is open.
  const waiting = await vote(bob, own, ['soup']);
  await second.session.start();
  await second.status('open');
  const later = await vote(bob, asked, ['salad']);
  const toOwn = await second.event('messages.update', waiting.id, hashOf('soup'));
  expect(toOwn.payload.updates).toMatchObject([{ key: { id: own.id, fromMe: true } }]);
  await second.event('messages.update', later.id, hashOf('salad'));
});

test('people are found by their numbers too, and a vote that is taken back has no options', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const test = await harness.newSession();
  await test.link(alice);
  const poll = await sendPoll(bob, alice, lunch, { addressing: 'pn' });
  const cast = await vote(bob, poll, ['salad'], { addressing: 'pn' });
  await test.event('messages.update', cast.id, hashOf('salad'));
  const back = await vote(bob, poll, [], { addressing: 'pn' });
  const { payload } = await test.event('messages.update', back.id);
  expect(JSON.stringify(payload)).not.toContain(hashOf('salad'));
});

test('replies to an invitation come as changes of it', async () => {
  const { test, alice, bob, carl, group } = await groupOfThree();
  const invitation = await sendInvitation(bob, group, 'Party');
  await test.event('messages.upsert', invitation.id, 'Party');
  const reply = await answerInvitation(carl, invitation, true);
  const { payload } = await test.event('messages.update', invitation.id, 'eventResponses');
  expect(payload.updates).toMatchObject([
    {
      key: { id: invitation.id },
      update: {
        eventResponses: [
          { eventResponseMessageKey: { id: reply.id }, eventResponseMessage: { response: 1 } },
        ],
      },
    },
  ]);
  const own = await answerInvitation(alice, invitation, false);
  await test.event('messages.update', own.id, 'eventResponses');
  await keepsSecret(test, invitation.message.messageContextInfo?.messageSecret);
});

test('a vote that cannot be opened changes nothing and does not block later votes', async () => {
  const { test, bob, carl, group } = await groupOfThree();
  const poll = await sendPoll(bob, group, lunch);
  await test.event('messages.upsert', poll.id);
  // Encrypted with another secret.
  const message = { ...poll.message, messageContextInfo: { messageSecret: Buffer.alloc(32, 7) } };
  const forged = await vote(carl, { ...poll, message }, ['soup']);
  const right = await vote(carl, poll, ['salad']);
  await test.event('messages.update', right.id, hashOf('salad'));
  const updates = (await test.events()).filter(({ event }) => event === 'messages.update');
  expect(JSON.stringify(updates)).not.toContain(forged.id);
});
