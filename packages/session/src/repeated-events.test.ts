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
