import { randomBytes } from 'node:crypto';
import {
  addPollOption,
  commentSealed,
  editSealed,
  type Phone,
  reactSealed,
  sendInvitation,
  sendPoll,
  sendWithSecret,
} from '@wafleet/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import type { PublishedEvent } from '../testing/published-events.js';

let harness: Harness;
let session: TestSession;
let alice: Phone;
let bob: Phone;
let carl: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  const add = (name: string) => harness.simulator.addPhone({ name });
  [alice, bob, carl] = [add('Alice'), add('Bob'), add('Carl')];
  session = await harness.newSession();
  await session.link(alice);
});

afterAll(() => harness.stop());

/** The message that was published under an id, and its key. */
async function published(id: string, inSession = session) {
  const isIt = ({ event, payload }: PublishedEvent) =>
    event === 'messages.upsert' && JSON.stringify(payload.messages).includes(`"id":"${id}"`);
  await inSession.event('messages.upsert', `"id":"${id}"`);
  const [found] = (await inSession.events()).filter(isIt);
  const messages = found?.payload.messages;
  if (!Array.isArray(messages)) throw new Error('no messages');
  return messages.find(({ key }) => key.id === id);
}

/** Expects that an edit is published as a change under the key of the original message. */
async function expectEdit(original: { id: string }, editId: string, text: string, inSession = session) {
  const { key } = await published(original.id, inSession);
  const { payload } = await inSession.event('messages.update', text);
  expect(payload.updates).toMatchObject([
    { key, update: { message: { editedMessage: { message: { conversation: text } } } } },
  ]);
  // The message that carried the edit looks as if it had never been encrypted.
  const { message, unavailable } = await published(editId, inSession);
  expect(message.protocolMessage).toMatchObject({ type: 14, editedMessage: { conversation: text } });
  expect(message).not.toHaveProperty('secretEncryptedMessage');
  expect(unavailable).toBeUndefined();
}

const NAMINGS = (['lid', 'pn'] as const).flatMap((author) =>
  (['lid', 'pn'] as const).flatMap((sender) =>
    (['lid', 'pn'] as const).map((addressing) => ({ author, sender, addressing })),
  ),
);

describe('an encrypted edit', () => {
  test.each(NAMINGS)('of a contact is published as a change: %j', async (naming) => {
    const text = `edited ${JSON.stringify(Object.values(naming))}`.replaceAll('"', '');
    for (const addressing of ['lid', 'pn'] as const) {
      const sent = await sendWithSecret(bob, alice, 'hello', { addressing });
      const { id } = await editSealed(bob, sent, `${text} ${addressing}`, naming);
      await expectEdit(sent, id, `${text} ${addressing}`);
    }
  });

  test('of a member of a group is published as a change', async () => {
    const group = bob.createGroup('Team', [alice, carl]);
    const sent = await sendWithSecret(carl, group, 'hello group');
    const { id } = await editSealed(carl, sent, 'edited in the group');
    await expectEdit(sent, id, 'edited in the group');
    const again = await editSealed(carl, sent, 'named by number', { author: 'pn', sender: 'pn' });
    await expectEdit(sent, again.id, 'named by number');
  });

  test('by the account’s own phone is published as a change, in a chat and in a group', async () => {
    const group = bob.createGroup('Own', [alice]);
    for (const [chat, name] of [[bob, 'chat'] as const, [group, 'group'] as const]) {
      const sent = await sendWithSecret(alice, chat, 'mine');
      const { id } = await editSealed(alice, sent, `mine, edited in a ${name}`);
      await expectEdit(sent, id, `mine, edited in a ${name}`);
    }
  });

  test('of a message that was edited before is published, whichever of both it names', async () => {
    const sent = await sendWithSecret(bob, alice, 'once');
    const ownSecret = randomBytes(32);
    const first = await editSealed(bob, sent, 'twice', { ownSecret });
    await expectEdit(sent, first.id, 'twice');
    const second = await editSealed(bob, sent, 'three times');
    await expectEdit(sent, second.id, 'three times');
    const ofTheEdit = { ...first, message: { messageContextInfo: { messageSecret: ownSecret } } };
    const third = await editSealed(bob, ofTheEdit, 'four times');
    await expectEdit(sent, third.id, 'four times');
  });

  test('of a message in a wrapper is published', async () => {
    const message = { ephemeralMessage: { message: { conversation: 'wrapped' } } };
    const sent = await sendWithSecret(bob, alice, message);
    const { id } = await editSealed(bob, sent, 'wrapped, edited');
    await expectEdit(sent, id, 'wrapped, edited');
  });

  test('of a message that the session sent is published', async () => {
    await session.session.execute('send-text', {
      to: bob.number,
      text: 'from here',
      messageId: '3EB0SENTFROMHERE',
    });
    const { message } = await bob.waitForMessage(({ id }) => id === '3EB0SENTFROMHERE');
    const sent = { id: '3EB0SENTFROMHERE', sender: alice, chat: bob, message };
    const { id } = await editSealed(alice, sent, 'from here, edited');
    await expectEdit(sent, id, 'from here, edited');
  });

  test('of a message of the history is published', async () => {
    const messageContextInfo = { messageSecret: randomBytes(32) };
    const past = alice.history.remember(bob, {
      sender: bob,
      message: { conversation: 'past', messageContextInfo },
    });
    await alice.history.share({ kind: 'RECENT' });
    await published(past.id);
    const { id } = await editSealed(bob, { ...past, chat: alice }, 'past, edited');
    await session.event('messages.update', past.id, 'past, edited');
    expect((await published(id)).unavailable).toBeUndefined();
  });

  test('is opened by the owner that the session has when it comes', async () => {
    const dora = harness.simulator.addPhone({ name: 'Dora' });
    const first = await harness.newSession();
    await first.link(dora);
    const sent = await sendWithSecret(bob, dora, 'before');
    await published(sent.id, first);
    await first.session.stop({ reason: 'drain' });
    const second = await harness.takeOver(first.fence, first.fence.worker);
    const edit = await editSealed(bob, sent, 'edited while the session was away');
    await second.session.start();
    await second.status('open');
    await expectEdit(sent, edit.id, 'edited while the session was away', second);
  });
});

describe('an encrypted edit of an event or a poll', () => {
  test('is published as a change', async () => {
    const group = bob.createGroup('Plans', [alice]);
    const invitation = await sendInvitation(bob, group, 'Party');
    await editSealed(bob, invitation, { eventMessage: { name: 'Bigger party' } }, { use: 'Event Edit' });
    const event = await session.event('messages.update', 'Bigger party');
    expect(event.payload.updates).toMatchObject([{ key: { id: invitation.id } }]);
    const poll = await sendPoll(bob, group, { name: 'Lunch?', options: ['soup', 'salad'] });
    await editSealed(bob, poll, { pollCreationMessageV3: { name: 'Dinner?' } }, { use: 'Poll Edit' });
    const changed = await session.event('messages.update', 'Dinner?');
    expect(changed.payload.updates).toMatchObject([{ key: { id: poll.id } }]);
  });

  test('that adds an option is published, also of another person', async () => {
    const group = bob.createGroup('Open poll', [alice, carl]);
    const poll = await sendPoll(bob, group, { name: 'Where?', options: ['here', 'there'] });
    const added = await addPollOption(carl, poll, 'nowhere');
    const { payload } = await session.event('messages.update', 'nowhere');
    expect(payload.updates).toMatchObject([
      {
        key: { id: poll.id },
        update: { message: { pollAddOptionMessage: { addOption: { optionName: 'nowhere' } } } },
      },
    ]);
    expect((await published(added.id)).unavailable).toBeUndefined();
  });
});

describe('an encrypted reaction', () => {
  test('is published as a reaction to the message', async () => {
    const group = bob.createGroup('Announcements', [alice, carl]);
    const sent = await sendWithSecret(bob, group, 'news');
    const { key } = await published(sent.id);
    for (const naming of NAMINGS) {
      const text = `👍 ${Object.values(naming).join(' ')}`;
      const { id } = await reactSealed(carl, sent, text, naming);
      const { payload } = await session.event('messages.reaction', text);
      expect(payload.reactions).toMatchObject([
        { key, reaction: { text, key: { id, participant: carl.lid, remoteJid: group.jid } } },
      ]);
      expect((await published(id)).message).toMatchObject({ reactionMessage: { text } });
    }
  });

  test('to the account’s own message names it as its own', async () => {
    const group = bob.createGroup('Own news', [alice]);
    const sent = await sendWithSecret(alice, group, 'my news');
    await reactSealed(bob, sent, '🎈');
    const { payload } = await session.event('messages.reaction', '🎈');
    expect(payload.reactions).toMatchObject([{ key: { id: sent.id, fromMe: true } }]);
  });
});

test('an encrypted comment is published with what it comments on', async () => {
  const group = bob.createGroup('Comments', [alice, carl]);
  const sent = await sendWithSecret(bob, group, 'news');
  const { key } = await published(sent.id);
  const { id } = await commentSealed(carl, sent, 'well said');
  const { message } = await published(id);
  expect(message).toMatchObject({
    commentMessage: { message: { conversation: 'well said' }, targetMessageKey: key },
  });
});

test('the file of an encrypted comment is found', async () => {
  const group = bob.createGroup('Pictures', [alice, carl]);
  const sent = await sendWithSecret(bob, group, 'a picture, please');
  const { message } = await carl.sendMedia(bob, { kind: 'image', data: Buffer.from('a picture') });
  const { id } = await commentSealed(carl, sent, { imageMessage: message.imageMessage ?? {} });
  await published(id);
  expect((await session.session.execute('find-media', { messageId: id })).file).toMatchObject({
    kind: 'image',
    length: 9,
  });
});

test('people are known by names that only earlier messages had', async () => {
  const [device] = alice.devices.values();
  if (!device) throw new Error('no device');
  const deliver = device.deliver.bind(device);
  device.deliver = ({ attrs: { sender_pn: _, sender_lid: __, ...attrs }, ...stanza }) =>
    deliver({ ...stanza, attrs });
  for (const addressing of ['lid', 'pn'] as const) {
    const other = addressing === 'lid' ? 'pn' : 'lid';
    const sent = await sendWithSecret(bob, alice, 'who am I', { addressing });
    const text = `by ${other}`;
    const { id } = await editSealed(bob, sent, text, { addressing: other, author: addressing });
    await expectEdit(sent, id, text);
  }
  device.deliver = deliver;
});

test('an edit that the phone was asked for is published', async () => {
  const sent = await sendWithSecret(bob, alice, 'resend the edit');
  await published(sent.id);
  const edit = await editSealed(bob, sent, 'from the phone, edited', { unavailable: 'placeholder' });
  const { payload } = await session.event('messages.update', 'from the phone, edited');
  expect(payload.updates).toMatchObject([{ key: { id: sent.id } }]);
  const mapped = (await session.events()).filter(
    ({ event, payload: each }) =>
      event === 'messages.update' && JSON.stringify(each).includes('from the phone, edited'),
  );
  expect(mapped).toHaveLength(1);
  await session.event('messages.upsert', edit.id, 'from the phone, edited');
});

describe('an add-on that cannot be opened', () => {
  const unavailable = async (id: string) => (await published(id)).unavailable;

  test('is published with the reason', async () => {
    const sent = await sendWithSecret(bob, alice, 'hello');
    const group = bob.createGroup('Forgers', [alice, carl]);
    const inGroup = await sendWithSecret(bob, group, 'hello group');

    const unknown = { ...sent, id: '3AUNKNOWN' };
    const ofUnknown = await editSealed(bob, unknown, 'of nothing');
    expect(await unavailable(ofUnknown.id)).toMatchObject({
      type: 'edit',
      reason: 'unknown-message',
      target: { id: '3AUNKNOWN' },
    });
    const forged = await reactSealed(bob, sent, '👎', { secret: randomBytes(32) });
    expect(await unavailable(forged.id)).toMatchObject({ type: 'reaction', reason: 'not-authentic' });
    // All members of a group have the secret.
    const byAnother = await editSealed(carl, inGroup, 'words in another’s mouth');
    expect(await unavailable(byAnother.id)).toMatchObject({ type: 'edit', reason: 'not-the-author' });
    const later = await editSealed(bob, sent, 'of a later version', { secretType: 99 });
    expect(await unavailable(later.id)).toMatchObject({ type: 'unknown', reason: 'unsupported' });
    const empty = await bob.send(alice, { secretEncryptedMessage: { secretEncType: 2 } });
    expect(await unavailable(empty.id)).toMatchObject({ type: 'edit', reason: 'malformed' });

    await bob.send(alice, 'the end');
    await session.event('messages.upsert', 'the end');
    const changes = (await session.events()).filter(({ event }) => event !== 'messages.upsert');
    for (const text of ['of nothing', '👎', 'mouth', 'later version']) {
      expect(JSON.stringify(changes)).not.toContain(text);
    }
  });
});

test('an encrypted edit does not count as a message to be read', async () => {
  const sent = await sendWithSecret(bob, alice, 'count me');
  await published(sent.id);
  const before = (await session.events()).length;
  await editSealed(bob, sent, 'count me once');
  await session.event('messages.update', 'count me once');
  const later = (await session.events()).slice(before);
  expect(later.filter(({ payload }) => JSON.stringify(payload).includes('unreadCount'))).toEqual([]);
});

test('no secret is published', async () => {
  const text = JSON.stringify(await session.events());
  expect(text).not.toContain('messageSecret');
});
