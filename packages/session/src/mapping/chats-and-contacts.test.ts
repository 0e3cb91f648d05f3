import { LabelAssociationType } from '@whiskeysockets/baileys/lib/Types/LabelAssociation.js';
import { expect, it } from 'vitest';
import { groupMessage, map } from '../testing/mapping.js';

it('publishes the deletion and the lock of a chat as changes of the chat', () => {
  expect(map('chats.delete', ['1@lid', '2@lid'])).toEqual([
    {
      event: 'chats.update',
      payload: {
        chats: [
          { id: '1@lid', deleted: true },
          { id: '2@lid', deleted: true },
        ],
      },
    },
  ]);
  expect(map('chats.lock', { id: '1@lid', locked: true })).toEqual([
    { event: 'chats.update', payload: { chats: [{ id: '1@lid', locked: true }] } },
  ]);
});

it('keeps a null, which marks a removed value, and leaves out messages, which have their own events', () => {
  const messages = [{ message: groupMessage({ conversation: 'hi' }) }];
  const update = { id: '1@lid', pinned: null, muteEndTime: null, unreadCount: -1, messages };
  expect(map('chats.update', [update, { id: '2@lid', messages }])).toEqual([
    {
      event: 'chats.update',
      payload: { chats: [{ id: '1@lid', pinned: null, muteEndTime: null, unreadCount: -1 }] },
    },
  ]);
});

it('publishes labels on chats and on messages', () => {
  const ofChat = { type: LabelAssociationType.Chat, chatId: '1@lid', labelId: '7' } as const;
  expect(map('labels.association', { type: 'add', association: ofChat })).toEqual([
    { event: 'chats.update', payload: { chats: [{ id: '1@lid', labels: { added: ['7'] } }] } },
  ]);
  const ofMessage = {
    type: LabelAssociationType.Message,
    chatId: '1@lid',
    messageId: 'M',
    labelId: '7',
  } as const;
  expect(map('labels.association', { type: 'remove', association: ofMessage })).toEqual([
    {
      event: 'messages.update',
      payload: {
        updates: [{ key: { remoteJid: '1@lid', id: 'M' }, update: { labelChange: { removed: ['7'] } } }],
      },
    },
  ]);
});

it('publishes that two ids belong to one person, and who is blocked', () => {
  expect(map('lid-mapping.update', { lid: '1@lid', pn: '15@s.whatsapp.net' })).toEqual([
    {
      event: 'contacts.update',
      payload: { contacts: [{ id: '1@lid', lid: '1@lid', phoneNumber: '15@s.whatsapp.net' }] },
    },
  ]);
  expect(map('blocklist.set', { blocklist: ['1@lid'] })).toEqual([
    { event: 'contacts.update', payload: { contacts: [{ id: '1@lid', blocked: true }] } },
  ]);
  expect(map('blocklist.update', { blocklist: ['1@lid'], type: 'remove' })).toEqual([
    { event: 'contacts.update', payload: { contacts: [{ id: '1@lid', blocked: false }] } },
  ]);
});
