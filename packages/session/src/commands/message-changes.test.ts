import { randomBytes } from 'node:crypto';
import { openVote, type Phone, sendPoll, sendWithSecret } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

const { harness, anna: alice, carl: bob, test } = await linkedAccount();

const newId = () => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;

/** Sends a text to Bob. Returns its id. */
async function sendText(text = 'helo', to = bob.jid): Promise<string> {
  const { messageId } = await test.session.execute('send-message', { to, text, messageId: newId() });
  return messageId;
}

/** A message that the session has published. */
async function published(send: () => Promise<{ readonly id: string }>): Promise<string> {
  const { id } = await send();
  await test.event('messages.upsert', id);
  return id;
}

const arrived = (messageId: string, phone = bob) => phone.waitForMessage(({ id }) => id === messageId);

describe('an edit', () => {
  it('changes a text by its id alone, at once after it was sent', async () => {
    const target = await sendText();
    const messageId = newId();
    await expect(test.session.execute('edit-message', { target, text: 'hello', messageId })).resolves.toEqual(
      { messageId },
    );
    const { message } = await arrived(messageId);
    expect(message.protocolMessage).toMatchObject({
      type: MESSAGE_EDIT,
      key: { id: target, fromMe: true },
      editedMessage: { extendedTextMessage: { text: 'hello' } },
    });
    await test.event('messages.update', target, 'hello');
  });

  it('needs the chat of a message that the session does not know', async () => {
    const fields = { target: 'UNKNOWN', text: 'x' };
    await expect(
      test.session.execute('edit-message', { ...fields, messageId: newId() }),
    ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    const messageId = newId();
    await test.session.execute('edit-message', { ...fields, chat: bob.number, messageId });
    const { message } = await arrived(messageId);
    expect(message.protocolMessage?.key).toMatchObject({ id: 'UNKNOWN', fromMe: true });
  });

  it('of a message of somebody else, or of another kind, is refused', async () => {
    const ofBob = await published(() => bob.send(alice, 'mine'));
    await expect(
      test.session.execute('edit-message', { target: ofBob, text: 'x', messageId: newId() }),
    ).rejects.toMatchObject({ code: 'MESSAGE_UNSUITABLE', details: { problem: 'not-own' } });
    const location = newId();
    const content = { type: 'location', latitude: 1, longitude: 2 } as const;
    await test.session.execute('send-message', { to: bob.jid, content, messageId: location });
    await expect(
      test.session.execute('edit-message', { target: location, text: 'x', messageId: newId() }),
    ).rejects.toMatchObject({ code: 'MESSAGE_UNSUITABLE', details: { problem: 'not-text' } });
  });
});

describe('a deletion for everyone', () => {
  it('deletes a message of the account', async () => {
    const target = await sendText();
    const messageId = newId();
    await test.session.execute('delete-message', { target, messageId });
    const { message } = await arrived(messageId);
    expect(message.protocolMessage).toMatchObject({ type: REVOKE, key: { id: target, fromMe: true } });
    await test.event('messages.delete', target);
  });

  it('deletes a member’s message of a group, and names its author', async () => {
    const group = alice.createGroup('Team', [bob]);
    const target = await published(() => bob.send(group, 'spam'));
    const messageId = newId();
    await test.session.execute('delete-message', { target, messageId });
    const { message } = await arrived(messageId);
    expect(message.protocolMessage).toMatchObject({
      type: REVOKE,
      key: { id: target, fromMe: false, participant: bob.lid },
    });
  });

  it('of the other person’s message is refused', async () => {
    const target = await published(() => bob.send(alice, 'mine'));
    await expect(
      test.session.execute('delete-message', { target, messageId: newId() }),
    ).rejects.toMatchObject({ code: 'MESSAGE_UNSUITABLE', details: { problem: 'not-own' } });
  });
});

describe('the account’s own view of a message', () => {
  const entry = (kind: string, id: string) =>
    alice.settings.state.entries.find(({ index }) => index[0] === kind && index[2] === id);

  it('has a star, which can be taken off', async () => {
    const id = await published(() => bob.send(alice, 'remember'));
    await test.session.execute('star-message', { target: id });
    expect(entry('star', id)).toMatchObject({
      index: ['star', bob.lid, id, '0', '0'],
      value: { starAction: { starred: true } },
    });
    await test.event('messages.update', id, '"starred":true');
    await test.session.execute('unstar-message', { target: id });
    expect(entry('star', id)?.value.starAction?.starred).toBe(false);
  });

  it('names the author of a message of a group', async () => {
    const group = bob.createGroup('Team', [alice]);
    const id = await published(() => bob.send(group, 'remember'));
    await test.session.execute('star-message', { target: id });
    expect(entry('star', id)?.index).toEqual(['star', group.jid, id, '0', bob.lid]);
  });

  it('names a message that the session does not know by its chat and sender', async () => {
    await test.session.execute('star-message', { target: 'OLD', chat: bob.lid, sender: 'me' });
    expect(entry('star', 'OLD')?.index).toEqual(['star', bob.lid, 'OLD', '1', '0']);
  });

  it('loses a message that is deleted for the account alone, with the time that it was sent', async () => {
    const timestamp = Math.floor(Date.now() / 1_000) - 3_600;
    const id = await published(() => bob.send(alice, 'away', { timestamp }));
    await test.session.execute('delete-message-for-me', { target: id });
    const { messageTimestamp } = entry('deleteMessageForMe', id)?.value.deleteMessageForMeAction ?? {};
    expect(Number(messageTimestamp)).toBe(timestamp);
    await test.event('messages.delete', id);
  });

  it('cannot change while WhatsApp refuses', async () => {
    harness.simulator.refuseRequests('sync', 500);
    await expect(
      test.session.execute('star-message', { target: 'OLD', chat: bob.lid }),
    ).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 500 } });
    harness.simulator.resume();
  });
});

describe('a pin', () => {
  it.each([1, 7, 30] as const)('lasts %s days, for everyone, and can be taken off', async (days) => {
    const target = await published(() => bob.send(alice, 'important'));
    const messageId = newId();
    await test.session.execute('pin-message', { target, days, messageId });
    const { message } = await arrived(messageId);
    expect(message.pinInChatMessage).toMatchObject({ type: 1, key: { id: target, fromMe: false } });
    expect(message.messageContextInfo?.messageAddOnDurationInSecs).toBe(days * 86_400);
    const unpinId = newId();
    await test.session.execute('unpin-message', { target, messageId: unpinId });
    expect((await arrived(unpinId)).message.pinInChatMessage).toMatchObject({ type: 2 });
  });
});

describe('a vote', () => {
  const poll = { name: 'Drink?', options: ['tea', 'coffee'] };

  it.each([
    ['of a person', () => bob as Phone | ReturnType<Phone['createGroup']>],
    ['of a group', () => bob.createGroup('Team', [alice])],
  ])('in a poll %s opens with the poll’s secret, and can be taken back', async (kind, chatOf) => {
    const chat = kind === 'of a person' ? alice : chatOf();
    const sent = await sendPoll(bob, chat, poll);
    await test.event('messages.upsert', sent.id);
    for (const options of [['coffee'], []]) {
      const messageId = newId();
      await test.session.execute('vote-in-poll', { target: sent.id, options, messageId });
      expect(openVote(sent, await arrived(messageId))).toEqual(options);
    }
    await test.event('messages.update', sent.id, 'pollUpdates');
  });

  it('in a poll of the account itself opens too', async () => {
    const id = newId();
    const content = { type: 'poll' as const, question: 'Drink?', options: ['tea', 'coffee'] };
    await test.session.execute('send-message', { to: bob.jid, content, messageId: id });
    const own = await arrived(id);
    const messageId = newId();
    await test.session.execute('vote-in-poll', { target: id, options: ['tea'], messageId });
    expect(openVote(own, await arrived(messageId))).toEqual(['tea']);
  });

  it('needs a poll that the session knows, and its options', async () => {
    const vote = (target: string, options = ['tea']) =>
      test.session.execute('vote-in-poll', { target, options, messageId: newId() });
    await expect(vote('UNKNOWN')).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    const text = await published(() => sendWithSecret(bob, alice, 'no poll'));
    await expect(vote(text)).rejects.toMatchObject({ details: { problem: 'not-a-poll' } });
    const id = await published(() => sendPoll(bob, alice, poll));
    await expect(vote(id, ['milk'])).rejects.toMatchObject({ details: { problem: 'no-such-option' } });
  });
});

describe('read receipts', () => {
  const receiptsOf = (phone: Phone, id: string) =>
    phone.inbox.receipts.filter(({ type, ids }) => type === 'read' && ids.includes(id));

  it('reach the author of each message of the chat, found by id alone', async () => {
    const ids = await Promise.all(['a', 'b'].map((text) => published(() => bob.send(alice, text))));
    const messages = ids.map((messageId) => ({ messageId }));
    await test.session.execute('mark-as-read', { chat: bob.jid, messages });
    for (const id of ids) {
      await waitFor(() => receiptsOf(bob, id).length > 0, { what: `the receipt of ${id}` });
    }
  });

  it('reach the authors in a group', async () => {
    const group = bob.createGroup('Team', [alice]);
    const id = await published(() => bob.send(group, 'all'));
    await test.session.execute('mark-as-read', { chat: group.jid, messages: [{ messageId: id }] });
    await waitFor(() => receiptsOf(bob, id).length > 0, { what: 'the receipt' });
    await expect(
      test.session.execute('mark-as-read', { chat: group.jid, messages: [{ messageId: 'UNKNOWN' }] }),
    ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
  });
});
