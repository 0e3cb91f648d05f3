import { randomBytes } from 'node:crypto';
import type { CommandFields } from '@wafleet/contract';
import { type Phone, type ReceivedMessage, sendWithSecret } from '@wafleet/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let test: TestSession;
let alice: Phone;
let bob: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  alice = harness.simulator.addPhone({ number: '4915100000001', name: 'Alice' });
  bob = harness.simulator.addPhone({ number: '4915200000001', name: 'Bob' });
  test = await harness.newSession();
  await test.link(alice);
});
afterAll(() => harness.stop());

const newId = () => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;

type Sent = Omit<CommandFields<'send-message'>, 'messageId' | 'to'> & { to?: string };

/** Sends a message to Bob, and returns what his phone has decrypted. */
async function arrives({ to = bob.jid, ...message }: Sent, receiver = bob): Promise<ReceivedMessage> {
  const messageId = newId();
  await expect(test.session.execute('send-message', { to, ...message, messageId })).resolves.toEqual({
    messageId,
  });
  return receiver.waitForMessage(({ id }) => id === messageId);
}

/** A message of Bob that the session has published. */
async function published(
  send: () => Promise<{ readonly id: string }> = () => bob.send(alice, 'hello'),
): Promise<string> {
  const { id } = await send();
  await test.event('messages.upsert', id);
  return id;
}

describe('a content reaches the phone as', () => {
  it('a text with mentions and a preview that was given', async () => {
    const text = 'hi @4915200000001, see https://example.com/a';
    const jpeg = '/9j/4AAQSkZJRgABAQ==';
    const { message } = await arrives({
      content: {
        type: 'text',
        text,
        mentions: ['+4915200000001', '123456@lid'],
        linkPreview: { url: 'https://example.com/a', title: 'A', description: 'about', thumbnail: jpeg },
      },
    });
    expect(message.extendedTextMessage).toMatchObject({
      text,
      matchedText: 'https://example.com/a',
      title: 'A',
      description: 'about',
      contextInfo: { mentionedJid: ['4915200000001@s.whatsapp.net', '123456@lid'] },
    });
    expect(Buffer.from(message.extendedTextMessage?.jpegThumbnail ?? []).toString('base64')).toBe(jpeg);
    expect(message.messageContextInfo?.messageSecret).toHaveLength(32);
  });

  it('a text that mentions all members of a group', async () => {
    const group = bob.createGroup('Team', [alice]);
    const { message } = await arrives({
      to: group.jid,
      content: { type: 'text', text: '@all', mentionAll: true },
    });
    expect(message.extendedTextMessage?.contextInfo?.nonJidMentions).toBe(1);
  });

  it('a location', async () => {
    const { message } = await arrives({
      content: {
        ...{ type: 'location', latitude: 52.5, longitude: -13.4 },
        ...{ name: 'Tower', address: 'Street 1', url: 'https://maps.example/1' },
      },
    });
    expect(message.locationMessage).toMatchObject({
      degreesLatitude: 52.5,
      degreesLongitude: -13.4,
      name: 'Tower',
      address: 'Street 1',
      url: 'https://maps.example/1',
    });
  });

  it('one contact, whose name cannot add a line to the card', async () => {
    const { message } = await arrives({
      content: { type: 'contacts', contacts: [{ name: 'Ann\nTEL:1;x', phone: '+15550001001' }] },
    });
    expect(message.contactMessage?.displayName).toBe('Ann\nTEL:1;x');
    expect(message.contactMessage?.vcard?.split('\n')).toEqual([
      'BEGIN:VCARD',
      'VERSION:3.0',
      'N:;Ann\\nTEL:1\\;x;;;',
      'FN:Ann\\nTEL:1\\;x',
      'TEL;type=CELL;waid=15550001001:+15550001001',
      'END:VCARD',
    ]);
  });

  it('several contacts, with a card that was given', async () => {
    const vCard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Ben\nEND:VCARD';
    const { message } = await arrives({
      content: {
        type: 'contacts',
        contacts: [
          { name: 'Ann', phone: '15550001001' },
          { name: 'Ben', vCard },
        ],
      },
    });
    expect(message.contactsArrayMessage).toMatchObject({
      displayName: 'Ann and 1 other contact',
      contacts: [{ displayName: 'Ann' }, { displayName: 'Ben', vcard: vCard }],
    });
  });

  it.each([
    [undefined, 'pollCreationMessageV3', 1],
    [2, 'pollCreationMessage', 2],
    [3, 'pollCreationMessage', 0],
  ] as const)('a poll whose number of choices is %s', async (selectable, field, count) => {
    const { message } = await arrives({
      content: {
        ...{ type: 'poll', question: 'Drink?', options: ['tea', 'coffee', 'milk'] },
        ...(selectable === undefined ? {} : { selectable }),
      },
    });
    expect(message[field]).toMatchObject({
      name: 'Drink?',
      options: [{ optionName: 'tea' }, { optionName: 'coffee' }, { optionName: 'milk' }],
      selectableOptionsCount: count,
    });
    expect(message.messageContextInfo?.messageSecret).toHaveLength(32);
  });

  it('an event', async () => {
    const { message } = await arrives({
      content: {
        ...{ type: 'event', name: 'Lunch', description: 'Soup' },
        ...{ start: '2027-01-01T12:00:00.500Z', end: '2027-01-01T13:00:00Z' },
        location: { latitude: 1, longitude: 2, name: 'Here' },
      },
    });
    const { startTime, endTime, ...event } = message.eventMessage ?? {};
    expect([String(startTime), String(endTime)]).toEqual(['1798804800', '1798808400']);
    expect(event).toMatchObject({ name: 'Lunch', description: 'Soup', location: { name: 'Here' } });
    expect(message.messageContextInfo?.messageSecret).toHaveLength(32);
  });

  it('a group invitation', async () => {
    const { message } = await arrives({
      content: {
        ...{ type: 'group-invitation', groupId: '120363000000000000@g.us', groupName: 'Team' },
        ...{ code: 'AbCdEfGhIjKl', expiresAt: '2027-01-01T12:00:00Z', caption: 'join' },
      },
    });
    const { inviteExpiration, ...invitation } = message.groupInviteMessage ?? {};
    expect(String(inviteExpiration)).toBe('1798804800');
    expect(invitation).toMatchObject({
      groupJid: '120363000000000000@g.us',
      groupName: 'Team',
      inviteCode: 'AbCdEfGhIjKl',
      caption: 'join',
    });
  });
});

describe('a reaction', () => {
  it.each(['👍', ''])(
    '%j names a message of the other person by its id alone, and has no secret',
    async (emoji) => {
      const messageId = await published();
      const { message } = await arrives({ content: { type: 'reaction', messageId, emoji } });
      expect(message.reactionMessage).toMatchObject({ text: emoji, key: { id: messageId, fromMe: false } });
      expect(message.messageContextInfo?.messageSecret ?? []).toHaveLength(0);
      await test.event('messages.reaction', messageId);
    },
  );

  it('names a message of the account, and one of a group’s member with its author', async () => {
    const own = await arrives({ text: 'mine' });
    const toOwn = await arrives({ content: { type: 'reaction', messageId: own.id, emoji: '❤️' } });
    expect(toOwn.message.reactionMessage?.key).toMatchObject({ id: own.id, fromMe: true });

    const group = bob.createGroup('Team', [alice]);
    const id = await published(() => bob.send(group, 'all'));
    const inGroup = await arrives({
      to: group.jid,
      content: { type: 'reaction', messageId: id, emoji: '👍' },
    });
    expect(inGroup.message.reactionMessage?.key).toMatchObject({
      ...{ id, fromMe: false, remoteJid: group.jid, participant: bob.lid },
    });
  });

  it('to a message of a group that the session does not know needs its sender', async () => {
    const group = bob.createGroup('Team', [alice]);
    const content = { type: 'reaction', messageId: 'UNKNOWN', emoji: '👍' } as const;
    await expect(
      test.session.execute('send-message', { to: group.jid, content, messageId: newId() }),
    ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    const { message } = await arrives({ to: group.jid, content: { ...content, sender: bob.lid } });
    expect(message.reactionMessage?.key).toMatchObject({ id: 'UNKNOWN', participant: bob.lid });
  });
});

describe('a quote by id alone', () => {
  it('has the content and the author of a message that was received', async () => {
    const quoted = await published(() => bob.send(alice, 'what time?'));
    const { message } = await arrives({ text: 'noon', quote: { messageId: quoted } });
    expect(message.extendedTextMessage?.contextInfo).toMatchObject({
      stanzaId: quoted,
      participant: bob.lid,
      quotedMessage: { conversation: 'what time?' },
    });
    expect(message.extendedTextMessage?.contextInfo?.remoteJid ?? '').toBe('');
  });

  it('has that of one that the session sent, without its secret', async () => {
    const first = await arrives({ text: 'first' });
    const { message } = await arrives({
      content: { type: 'location', latitude: 1, longitude: 2 },
      quote: { messageId: first.id },
    });
    const { contextInfo } = message.locationMessage ?? {};
    expect(contextInfo).toMatchObject({
      stanzaId: first.id,
      quotedMessage: { extendedTextMessage: { text: 'first' } },
    });
    expect([alice.jid, alice.lid]).toContain(contextInfo?.participant);
    expect(contextInfo?.quotedMessage?.messageContextInfo ?? undefined).toBeUndefined();
  });

  it('of a message of the account in a group names it as the group names people', async () => {
    const group = bob.createGroup('Team', [alice]);
    const own = await arrives({ to: group.jid, text: 'mine' });
    const { message } = await arrives({ to: group.jid, text: 'again', quote: { messageId: own.id } });
    expect(message.extendedTextMessage?.contextInfo).toMatchObject({
      ...{ stanzaId: own.id, participant: alice.lid },
    });
  });

  it('of a group’s message in another chat names the group', async () => {
    const group = bob.createGroup('Team', [alice]);
    const quoted = await published(() => bob.send(group, 'to all'));
    const { message } = await arrives({ text: 'to you', quote: { messageId: quoted } });
    expect(message.extendedTextMessage?.contextInfo).toMatchObject({
      ...{ stanzaId: quoted, participant: bob.lid, remoteJid: group.jid },
    });
  });

  it('of a message with a secret, after a takeover of the session, is found as well', async () => {
    const quoted = await published(() => sendWithSecret(bob, alice, 'with a secret'));
    await test.session.stop({ reason: 'drain' });
    test = await harness.takeOver(test.fence, test.fence.worker);
    await test.session.start();
    await test.status('open');
    const { message } = await arrives({ text: 'yes', quote: { messageId: quoted } });
    expect(message.extendedTextMessage?.contextInfo?.quotedMessage).toMatchObject({
      conversation: 'with a secret',
    });
  });

  it('of an unknown message is refused, and nothing is sent', async () => {
    const messageId = newId();
    await expect(
      test.session.execute('send-message', {
        ...{ to: bob.jid, text: 'no', messageId },
        quote: { messageId: 'UNKNOWN' },
      }),
    ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    await arrives({ text: 'next' });
    expect(bob.received.some(({ id }) => id === messageId)).toBe(false);
  });
});

describe('a forwarded message', () => {
  it('is marked, counts how often, and leaves its answer behind', async () => {
    const quoted = await bob.send(alice, 'question');
    const messageId = await published(() =>
      bob.send(alice, {
        extendedTextMessage: {
          text: 'answer',
          contextInfo: { stanzaId: quoted.id, forwardingScore: 2, isForwarded: true, expiration: 86_400 },
        },
      }),
    );
    const { message } = await arrives({ content: { type: 'forward', messageId } });
    expect(message.extendedTextMessage?.text).toBe('answer');
    expect(message.extendedTextMessage?.contextInfo).toMatchObject({ forwardingScore: 3, isForwarded: true });
    expect(message.extendedTextMessage?.contextInfo?.stanzaId ?? '').toBe('');
    expect(message.extendedTextMessage?.contextInfo?.expiration ?? 0).toBe(0);
  });

  it('of the account itself is not marked', async () => {
    const own = await arrives({ text: 'mine' });
    const { message } = await arrives({ content: { type: 'forward', messageId: own.id } });
    expect(message.extendedTextMessage?.text).toBe('mine');
    expect(message.extendedTextMessage?.contextInfo?.isForwarded ?? false).toBe(false);
  });

  it('with a file opens the same file', async () => {
    const file = Buffer.from('a picture');
    const messageId = await published(() => bob.sendMedia(alice, { kind: 'image', data: file }));
    const received = await arrives({ content: { type: 'forward', messageId } });
    await expect(bob.openMedia(received)).resolves.toEqual(file);
  });

  it('that cannot be forwarded is refused', async () => {
    const messageId = await published(() => bob.send(alice, { call: {} }));
    await expect(
      test.session.execute('send-message', {
        ...{ to: bob.jid, messageId: newId() },
        content: { type: 'forward', messageId },
      }),
    ).rejects.toMatchObject({ code: 'MESSAGE_UNSUITABLE', details: { problem: 'not-forwardable' } });
  });
});

describe('a message disappears', () => {
  it('after the seconds that were given', async () => {
    const { message } = await arrives({ text: 'soon gone', disappearing: 86_400 });
    expect(message.extendedTextMessage?.contextInfo?.expiration).toBe(86_400);
  });

  it('after those of its group, unless the sender says otherwise', async () => {
    const group = bob.createGroup('Team', [alice]);
    group.configure(bob, { ephemeralSeconds: 604_800 });
    await test.event('messages.upsert', group.jid, '604800');
    const byGroup = await arrives({ to: group.jid, text: 'hi' });
    expect(byGroup.message.extendedTextMessage?.contextInfo?.expiration).toBe(604_800);
    const never = await arrives({ to: group.jid, text: 'hi', disappearing: 0 });
    expect(never.message.extendedTextMessage?.contextInfo?.expiration ?? 0).toBe(0);
  });
});

describe('typing before a message', () => {
  it('shows in the chat, and the message follows', async () => {
    const other = await harness.newSession();
    await other.link(bob);
    await arrives({ text: 'well', typing: 50 });
    await other.event('presence.update', '"lastKnownPresence":"composing"');
    await other.session.stop({ reason: 'drain' });
  });

  it('ends, and nothing is sent, when the connection closes', async () => {
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const other = await harness.newSession();
    await other.link(carl);
    const messageId = newId();
    const sending = other.session.execute('send-message', {
      ...{ to: bob.jid, text: 'lost', messageId, typing: 10_000 },
    });
    const failure = expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    harness.simulator.disconnect(carl, 'tcp');
    await failure;
    await arrives({ text: 'next' });
    expect(bob.received.some(({ id }) => id === messageId)).toBe(false);
  });
});
