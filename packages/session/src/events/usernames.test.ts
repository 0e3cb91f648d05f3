import type { Phone } from '@wafleet/simulator';
import { generateMessageIDV2 } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

/** A person with a LID and a username, whose number is hidden. */
let nina: Phone;
let harness: Harness;
let anna: Phone;
let carl: Phone;
let test: TestSession;

beforeAll(async () => {
  harness = await Harness.start();
  anna = harness.simulator.addPhone({ name: 'Anna' });
  carl = harness.simulator.addPhone({ name: 'Carl' });
  nina = harness.simulator.addPhone({ name: 'Nina', username: 'nina.n', hidesNumber: true });
  anna.history.remember(nina, { id: 'PAST', sender: nina, message: { conversation: 'long ago' } });
  test = await harness.newSession();
  await test.link(anna);
});

afterAll(async () => {
  const events = JSON.stringify(await test.events());
  await harness?.stop();
  expect(events).not.toContain(nina.number);
});

async function send(to: string, text: string): Promise<string> {
  const messageId = generateMessageIDV2();
  await test.session.execute('send-text', { to, text, messageId });
  return messageId;
}

describe('a person with a username and without a number', () => {
  it('is in the history with the username', async () => {
    const { payload } = await test.event('contacts.upsert', nina.lid, '"history":true');
    expect(payload.contacts).toContainEqual(expect.objectContaining({ id: nina.lid, username: 'nina.n' }));
    const past = await test.event('messages.upsert', 'PAST');
    expect(past.payload).toMatchObject({
      messages: [{ key: { remoteJid: nina.lid, remoteJidUsername: 'nina.n' } }],
    });
    const chats = await test.event('chats.upsert', nina.lid);
    expect(chats.payload.chats).toContainEqual(expect.objectContaining({ id: nina.lid, username: 'nina.n' }));
  });

  it('writes, is answered by LID, and confirms and reacts, each time with the username', async () => {
    const { id } = await nina.send(anna, 'hello from nowhere');
    const key = { remoteJid: nina.lid, remoteJidUsername: 'nina.n' };
    const received = await test.event('messages.upsert', id);
    expect(received.payload).toMatchObject({ messages: [{ key: { ...key, id, fromMe: false } }] });
    const answer = await send(nina.lid, 'hello Nina');
    const sent = await nina.waitForMessage((message) => message.id === answer);
    const delivered = await test.event('messages.update', answer, '"status":3');
    expect(delivered.payload).toMatchObject({ updates: [{ key: { ...key, id: answer } }] });
    nina.markRead(sent);
    await test.event('messages.update', answer, '"status":4');
    await nina.react({ ...sent, chat: anna }, '👍');
    const reaction = await test.event('messages.reaction', answer);
    expect(reaction.payload).toMatchObject({ reactions: [{ key, reaction: { key } }] });
    const own = await anna.send(nina, 'from my phone');
    const copy = await test.event('messages.upsert', own.id);
    expect(copy.payload).toMatchObject({ messages: [{ key: { ...key, id: own.id, fromMe: true } }] });
  });

  it('takes part in groups', async () => {
    const group = nina.createGroup('Nina and friends', [anna, carl]);
    const created = await test.event('groups.upsert', group.jid);
    expect(created.payload).toMatchObject({
      groups: [{ owner: nina.lid, ownerUsername: 'nina.n', author: nina.lid, authorUsername: 'nina.n' }],
    });
    const [{ participants = [] } = {}] = created.payload.groups as { participants: { id: string }[] }[];
    const member = participants.find(({ id }) => id === nina.lid);
    expect(member).toEqual({ id: nina.lid, username: 'nina.n', admin: 'superadmin' });
    const { id } = await nina.send(group, 'to all');
    const received = await test.event('messages.upsert', id);
    const author = { remoteJid: group.jid, participant: nina.lid, participantUsername: 'nina.n' };
    expect(received.payload).toMatchObject({ messages: [{ key: author }] });
    const answer = await send(group.jid, 'to all and Nina');
    const sent = await nina.waitForMessage((message) => message.id === answer);
    nina.markRead(sent);
    const read = await test.event('messages.update', answer, nina.lid, '"readTimestamp"');
    expect(read.payload).toMatchObject({
      updates: [{ key: author, update: { userReceipt: [{ userJid: nina.lid }] } }],
    });
    group.promote(nina, [carl]);
    const promoted = await test.event('group-participants.update', '"promote"');
    expect(promoted.payload).toMatchObject({ author: nina.lid, authorUsername: 'nina.n' });
  });

  it('calls', async () => {
    const call = nina.call(anna);
    const offered = await test.event('call', call.id, '"offer"');
    expect(offered.payload).toMatchObject({ calls: [{ from: nina.lid, callerUsername: 'nina.n' }] });
    call.terminate();
    await test.event('call', call.id, '"terminate"');
  });

  it('has the username in an event once it is seen, and again when it changes', async () => {
    const otto = harness.simulator.addPhone({ name: 'Otto', username: 'otto.o', hidesNumber: true });
    const usernames = async () =>
      (await test.events())
        .filter(({ event }) => event === 'contacts.update')
        .flatMap(({ payload }) => payload.contacts as { id: string; notify?: string; username?: string }[])
        .filter(({ id, notify }) => id === otto.lid && notify === undefined)
        .map(({ username }) => username);
    await otto.send(anna, 'first');
    await otto.send(anna, 'second');
    await test.event('messages.upsert', '"second"');
    expect(await usernames()).toEqual(['otto.o']);
    otto.username = 'otto.new';
    await otto.send(anna, 'third');
    const third = await test.event('messages.upsert', '"third"');
    expect(third.payload).toMatchObject({ messages: [{ key: { remoteJidUsername: 'otto.new' } }] });
    expect(await usernames()).toEqual(['otto.o', 'otto.new']);
  });

  it('is saved as a contact under the LID', async () => {
    await anna.settings.saveLidContact(nina, 'Nina N');
    const saved = await test.event('contacts.upsert', 'Nina N');
    expect(saved.payload).toMatchObject({
      contacts: [{ id: nina.lid, lid: nina.lid, name: 'Nina N', username: 'nina.n' }],
    });
  });
});
