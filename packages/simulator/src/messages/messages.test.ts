import { describe, expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { until } from '../testing/until.js';
import { statusBroadcast } from '../world/chat.js';
import type { SentMessage } from './sent-message.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();

describe('a phone sends', () => {
  let first: SentMessage;

  test('a text', async () => {
    await expectTrigger('text (lid)', client, async () => {
      first = await carl.send(alice, 'hi');
    });
  });

  test('a reaction, and takes it back', async () => {
    await expectTrigger('reaction add', client, () => carl.react(first, '👍'));
    await expectTrigger('reaction remove', client, () => carl.react(first, ''));
  });

  test('an edit, bare and wrapped', async () => {
    await expectTrigger('edit', client, () => carl.edit(first, 'hi (edited)'));
    await expectTrigger('edit (editedMessage wrapper)', client, () =>
      carl.edit(first, 'hi (edited 2)', { wrapped: true }),
    );
  });

  test('a deletion for everyone', async () => {
    await expectTrigger('revoke (delete for everyone)', client, () => carl.revoke(first));
  });

  test('a change of the chat to disappearing messages', async () => {
    await expectTrigger('ephemeral setting 1:1', client, () =>
      carl.send(alice, { protocolMessage: { type: 3, ephemeralExpiration: 86400 } }),
    );
  });

  test('an image', async () => {
    await expectTrigger('image (no download)', client, () =>
      carl.send(alice, {
        imageMessage: {
          url: 'https://mmg.whatsapp.net/x',
          mimetype: 'image/jpeg',
          caption: 'cap',
          fileSha256: Buffer.alloc(32, 1),
          fileLength: 10,
          mediaKey: Buffer.alloc(32, 2),
          fileEncSha256: Buffer.alloc(32, 3),
          directPath: '/v/x',
        },
      }),
    );
  });

  test('what the linked device of the same account sees as its own', async () => {
    await expectTrigger('own-phone message (fromMe)', client, () => alice.send(carl, 'from my phone'));
    expect(carl.received.at(-1)).toMatchObject({ sender: alice, text: 'from my phone' });
  });

  test('a status update', async () => {
    client.auth.creds.accountSettings.unarchiveChats = true;
    await dora.send(statusBroadcast, 'a status with the sender key', { audience: [alice] });
    await client.text('a status with the sender key');
    await expectTrigger('status broadcast', client, () =>
      dora.send(statusBroadcast, 'my status', { audience: [alice] }),
    );
  });

  test('from its number instead of its LID', async () => {
    const { id } = await dora.send(alice, 'by number', { addressing: 'pn' });
    const received = await client.text('by number');
    expect(received.key).toMatchObject({ id, remoteJid: dora.jid, remoteJidAlt: dora.lid, fromMe: false });
  });

  test('an answer that quotes, and a forwarded text', async () => {
    const quoted = await carl.send(alice, 'a question');
    await carl.send(alice, 'its answer', { quoted });
    const answer = await client.text('its answer');
    const context = answer.message?.extendedTextMessage?.contextInfo;
    expect(context).toMatchObject({ stanzaId: quoted.id, quotedMessage: { conversation: 'a question' } });
    await carl.send(alice, 'passed on', { forwarded: true });
    const forwarded = await client.text('passed on');
    expect(forwarded.message?.extendedTextMessage?.contextInfo?.isForwarded).toBe(true);
  });
});

describe('a client sends', () => {
  let id = '';
  const receiptsArrived = (count: number) => () => carl.received.length >= count;

  test('a text, and learns that it has been delivered', async () => {
    await expectTrigger(
      'we send to 1:1',
      client,
      async () => {
        const sent = await client.sock.sendMessage(carl.jid, { text: 'x' });
        id = sent?.key.id ?? '';
      },
      receiptsArrived(1),
    );
    expect(carl.received.at(-1)).toMatchObject({ sender: alice, chat: carl, text: 'x', id });
    expect(alice.received.at(-1)).toMatchObject({ sender: alice, chat: carl, text: 'x', id });
  });

  test('several, and learns that they have been read', async () => {
    const [message] = carl.received.filter((each) => each.id === id);
    if (!message) throw new Error('Carl has not got the text');
    await expectTrigger('read receipt batch', client, () =>
      carl.markRead(message, { ...message, id: 'OTHER1' }),
    );
  });

  test('a deletion, an edit and a reaction', async () => {
    const key = { remoteJid: carl.jid, fromMe: true, id };
    await expectTrigger('we revoke', client, () => client.sock.sendMessage(carl.jid, { delete: key }));
    await expectTrigger('we edit', client, () =>
      client.sock.sendMessage(carl.jid, { text: 'x edited', edit: key }),
    );
    await expectTrigger('we react', client, () =>
      client.sock.sendMessage(carl.jid, { react: { text: '❤️', key } }),
    );
    const contents = carl.received.slice(-3).map(({ message }) => Object.keys(message)[0]);
    expect(contents).toEqual(['protocolMessage', 'protocolMessage', 'reactionMessage']);
  });

  test('what a phone reacts to', async () => {
    const message = carl.received.find((each) => each.id === id);
    if (!message) throw new Error('Carl has not got the text');
    await carl.react(message, '🙂');
    const reaction = await client.message(({ message: content }) => content?.reactionMessage?.text === '🙂');
    expect(reaction.message?.reactionMessage?.key).toMatchObject({ id, fromMe: true });
  });

  test('a status update', async () => {
    const options = { statusJidList: [carl.jid], broadcast: true };
    await client.sock.sendMessage(statusBroadcast.jid, { text: 'our status' }, options);
    const status = await carl.waitForMessage(({ text }) => text === 'our status');
    expect(status).toMatchObject({ sender: alice, chat: statusBroadcast });
  });

  test('what the server refuses', async () => {
    simulator.refuseMessages(463, alice);
    const sent = await client.sock.sendMessage(carl.jid, { text: 'refused' });
    await until('the error', () => client.statusOf(sent?.key.id) === 0);
    simulator.resume();
    expect(carl.received.some(({ text }) => text === 'refused')).toBe(false);
  });

  test('read receipts to a phone', async () => {
    const { id: theirs } = await carl.send(alice, 'have you read this?');
    const received = await client.text('have you read this?');
    await client.sock.readMessages([received.key]);
    await until('the read receipt', () =>
      carl.inbox.receipts.some(
        ({ type, ids, from }) => type === 'read' && from === alice && ids.includes(theirs),
      ),
    );
  });
});
