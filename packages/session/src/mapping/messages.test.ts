import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { groupMessage, map } from '../testing/mapping.js';

it('gives both ids of a sender and leaves out the empty participant of a one-to-one chat', () => {
  const message: WAMessage = {
    key: { remoteJid: '1@lid', remoteJidAlt: '15@s.whatsapp.net', fromMe: false, id: 'A', participant: '' },
    message: proto.Message.fromObject({ conversation: 'hi' }),
    messageTimestamp: 1700000000,
  };
  expect(map('messages.upsert', { messages: [message], type: 'notify' })).toEqual([
    {
      event: 'messages.upsert',
      payload: {
        type: 'notify',
        messages: [
          {
            key: { remoteJid: '1@lid', remoteJidAlt: '15@s.whatsapp.net', fromMe: false, id: 'A' },
            message: { conversation: 'hi' },
            messageTimestamp: 1700000000,
          },
        ],
      },
    },
  ]);
});

it('does not publish peer messages, key shares or messages of key material only', () => {
  const share = { protocolMessage: { type: 6, appStateSyncKeyShare: { keys: [] } } };
  const distribution = { senderKeyDistributionMessage: { groupId: '1203@g.us' } };
  const messages = [
    groupMessage(share),
    groupMessage(distribution),
    { ...groupMessage({ conversation: 'peer' }), category: 'peer' },
  ];
  expect(map('messages.upsert', { messages, type: 'notify' })).toEqual([]);
});

it('derives messages.delete from a revoke by the author', () => {
  const revoke = groupMessage({ protocolMessage: { type: 0, key: { id: 'T', fromMe: true } } }, { id: 'R' });
  const mapped = map('messages.upsert', { messages: [revoke], type: 'notify' });
  expect(mapped.map(({ event }) => event)).toEqual(['messages.upsert', 'messages.delete']);
  expect(mapped[1]?.payload).toEqual({
    keys: [{ remoteJid: '1203@g.us', fromMe: false, id: 'T', participant: '2@lid' }],
  });
});

it('names the author, not the admin, when an admin revokes another’s message', () => {
  const target = { id: 'T', fromMe: false, participant: '107411253299441@lid' };
  const revoke = groupMessage({ protocolMessage: { type: 0, key: target } }, { id: 'R' });
  const [, deletion] = map('messages.upsert', { messages: [revoke], type: 'notify' });
  expect(deletion?.payload).toEqual({
    keys: [{ remoteJid: '1203@g.us', fromMe: true, id: 'T', participant: '107411253299441@lid' }],
  });
});

it('folds a receipt of a group into messages.update', () => {
  const key = { remoteJid: '1203@g.us', id: 'A', fromMe: true };
  const receipt = { userJid: '2@lid', readTimestamp: 1700000000 };
  expect(map('message-receipt.update', [{ key, receipt }])).toEqual([
    { event: 'messages.update', payload: { updates: [{ key, update: { userReceipt: [receipt] } }] } },
  ]);
});

it('names the revoking message in the update of the revoked message', () => {
  const key = { remoteJid: '1@lid', fromMe: false, id: 'M', participant: '' };
  const update = { message: null, messageStubType: 1, key: { ...key, id: 'R' } };
  expect(map('messages.update', [{ key, update }])).toEqual([
    {
      event: 'messages.update',
      payload: {
        updates: [
          {
            key: { remoteJid: '1@lid', fromMe: false, id: 'M' },
            update: {
              message: null,
              messageStubType: 1,
              key: { remoteJid: '1@lid', fromMe: false, id: 'R' },
            },
          },
        ],
      },
    },
  ]);
});

it('publishes the deletion of all messages of a chat', () => {
  expect(map('messages.delete', { jid: '1@lid', all: true })).toEqual([
    { event: 'messages.delete', payload: { jid: '1@lid', all: true } },
  ]);
});

it('names the request with which the own phone was asked for a message', () => {
  const messages = [groupMessage({ conversation: 'hi' })];
  expect(map('messages.upsert', { messages, type: 'notify', requestId: 'Q' })[0]?.payload).toMatchObject({
    requestId: 'Q',
    type: 'notify',
  });
});

it('publishes poll votes, whose times are spread Longs', () => {
  const key = { remoteJid: '1203@g.us', fromMe: true, id: 'P' };
  const vote = {
    pollUpdateMessageKey: { ...key, fromMe: false, id: 'V' },
    vote: { selectedOptions: [Buffer.alloc(32, 1)] },
    senderTimestampMs: { low: 30511813, high: 418, unsigned: false },
  };
  const [mapped] = map('messages.update', [{ key, update: { pollUpdates: [vote] } as object }]);
  expect(mapped?.payload).toMatchObject({
    updates: [
      {
        update: {
          pollUpdates: [
            {
              vote: { selectedOptions: [Buffer.alloc(32, 1).toString('base64')] },
              senderTimestampMs: 1795326841541,
            },
          ],
        },
      },
    ],
  });
});

it('leaves out the lists that a notice of a group never set', () => {
  const notice = proto.WebMessageInfo.fromObject({
    key: { remoteJid: '1203@g.us', fromMe: false, id: 'N' },
    messageStubType: 21,
    messageStubParameters: ['Team 2'],
  }) as WAMessage;
  expect(map('messages.upsert', { messages: [notice], type: 'append' })[0]?.payload).toEqual({
    messages: [
      {
        key: { remoteJid: '1203@g.us', fromMe: false, id: 'N' },
        messageStubType: 21,
        messageStubParameters: ['Team 2'],
      },
    ],
    type: 'append',
  });
  const plain = {
    key: notice.key,
    messageTimestamp: 1,
    message: proto.Message.fromObject({ conversation: 'x' }),
  };
  const empty = proto.WebMessageInfo.fromObject(plain) as WAMessage;
  expect(map('messages.upsert', { messages: [empty], type: 'append' })[0]?.payload.messages).toEqual([
    {
      key: { remoteJid: '1203@g.us', fromMe: false, id: 'N' },
      messageTimestamp: 1,
      message: { conversation: 'x' },
    },
  ]);
});
