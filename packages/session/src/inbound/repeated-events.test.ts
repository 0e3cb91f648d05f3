import type { BaileysEventMap, WAMessage } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { withoutMessage } from './repeated-events.js';

const key = (id: string) => ({ remoteJid: '1@lid', fromMe: false, id });
const message = (id: string): WAMessage => ({ key: key(id), message: { conversation: id } });

it('everything that follows from a message that came again is left out', () => {
  const events: Partial<BaileysEventMap> = {
    'messages.upsert': { messages: [message('A')], type: 'notify' },
    'messages.reaction': [{ key: key('T'), reaction: { key: key('A'), text: '🎈' } }],
    'messages.update': [
      { key: key('T'), update: { message: { conversation: 'edited' } } },
      { key: key('T'), update: { message: null, messageStubType: 1 } },
      { key: key('T'), update: { eventResponses: [{}] } },
    ],
    'chats.update': [
      { id: '1@lid', messages: [{ message: message('A') }], conversationTimestamp: 7, unreadCount: 1 },
      { id: '2@lid', archived: false, readOnly: false },
      { id: '3@lid', ephemeralSettingTimestamp: 7, ephemeralExpiration: 60 },
    ],
    'contacts.update': [{ id: '1@lid', notify: 'Bob' }],
    'group.member-tag.update': { groupId: '1@g.us', label: 'Chair', participant: '1@lid' },
  };
  expect(withoutMessage(events, 'A')).toEqual({});
  const resent: Partial<BaileysEventMap> = {
    'messages.upsert': { messages: [message('B')], type: 'notify', requestId: 'R' },
  };
  expect(withoutMessage(resent, 'A')).toEqual({});
});

it('everything else that is emitted meanwhile is kept', () => {
  const others: Partial<BaileysEventMap> = {
    'messages.upsert': { messages: [message('B')], type: 'append' },
    'messages.reaction': [{ key: key('A'), reaction: { key: key('B'), text: '🎈' } }],
    'messages.update': [{ key: key('A'), update: { status: 4 } }],
    'chats.update': [
      { id: '1@lid', unreadCount: 0 },
      { id: '2@lid', archived: false },
      { id: '3@lid', pinned: 5 },
    ],
    'contacts.update': [{ id: '1@lid', imgUrl: 'changed' }],
  };
  expect(withoutMessage(others, 'A')).toEqual(others);
  const merged: Partial<BaileysEventMap> = {
    'chats.update': [{ id: '1@lid', pinned: 5, messages: [{ message: message('A') }], unreadCount: 1 }],
  };
  expect(withoutMessage(merged, 'A')).toEqual({ 'chats.update': [{ id: '1@lid', pinned: 5 }] });
});

it('the change of a chat by another message, such as one that is sent meanwhile, is kept', () => {
  const others: Partial<BaileysEventMap> = {
    'messages.upsert': { messages: [message('B')], type: 'append' },
    'chats.update': [{ id: '2@lid', messages: [{ message: message('B') }], conversationTimestamp: 9 }],
  };
  expect(withoutMessage(others, 'A')).toEqual(others);
});

const newMessage = (id: string, at: number): WAMessage => ({ ...message(id), messageTimestamp: at });

it('the part of merged changes of a chat that other messages caused is kept', () => {
  const [repeated, other] = [newMessage('A', 3), newMessage('B', 9)];
  const merged = (last: WAMessage, unreadCount: number): Partial<BaileysEventMap> => ({
    'messages.upsert': { messages: [repeated, other], type: 'notify' },
    'chats.update': [
      { id: '1@lid', messages: [{ message: last }], conversationTimestamp: 9, unreadCount, archived: false },
    ],
  });
  const left = {
    'messages.upsert': { messages: [other], type: 'notify' },
    'chats.update': [
      {
        id: '1@lid',
        messages: [{ message: other }],
        conversationTimestamp: 9,
        unreadCount: 1,
        archived: false,
      },
    ],
  };
  expect(withoutMessage(merged(repeated, 2), 'A')).toEqual(left);
  expect(withoutMessage(merged(other, 2), 'A')).toEqual(left);
  // The change of the repeated message comes later than its event.
  expect(withoutMessage(merged(other, 1), 'A')).toEqual(left);
});

it('changes that name no message are kept if other messages are there, and deletions always', () => {
  const edit: WAMessage = {
    ...{ key: key('E'), pushName: 'Bob' },
    message: { protocolMessage: { key: key('T'), type: 14 } },
  };
  const others: Partial<BaileysEventMap> = {
    'messages.upsert': { messages: [edit], type: 'append' },
    'messages.update': [
      { key: key('T'), update: { message: { conversation: 'edited' } } },
      { key: key('U'), update: { message: null, messageStubType: 1, key: key('D') } },
    ],
    'chats.update': [{ id: '1@lid', archived: false, readOnly: false }],
    'contacts.update': [{ id: '1@lid', notify: 'Bob' }],
  };
  expect(withoutMessage(others, 'A')).toEqual(others);
});
