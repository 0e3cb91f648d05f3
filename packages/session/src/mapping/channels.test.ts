import { expect, it } from 'vitest';
import { map } from '../testing/mapping.js';

const CHANNEL = { id: '1203@newsletter', server_id: '105' };
const key = { remoteJid: '1203@newsletter', id: '105', server_id: '105' };

it('publishes reactions and views with the channel’s own number of the message', () => {
  expect(map('newsletter.reaction', { ...CHANNEL, reaction: { code: '👍', count: 1 } })).toEqual([
    { event: 'messages.reaction', payload: { reactions: [{ key, reaction: { text: '👍', count: 1 } }] } },
  ]);
  expect(map('newsletter.reaction', { ...CHANNEL, reaction: { removed: true } })).toEqual([
    { event: 'messages.reaction', payload: { reactions: [{ key, reaction: { text: '' } }] } },
  ]);
  expect(map('newsletter.view', { ...CHANNEL, count: 12 })).toEqual([
    { event: 'messages.update', payload: { updates: [{ key, update: { views: 12 } }] } },
  ]);
});

it('publishes who runs a channel, and its settings', () => {
  const { id } = CHANNEL;
  const promotion = { id, author: '1@lid', user: '2@lid', new_role: 'ADMIN', action: 'promote' };
  expect(map('newsletter-participants.update', promotion)).toEqual([
    {
      event: 'group-participants.update',
      payload: { id, author: '1@lid', participants: [{ id: '2@lid', role: 'ADMIN' }], action: 'promote' },
    },
  ]);
  const change = { id, author: '', user: '2@lid', new_role: 'OWNER', action: 'something-new' };
  expect(map('newsletter-participants.update', change)[0]?.payload).toMatchObject({
    author: id,
    action: 'modify',
  });
  expect(map('newsletter-settings.update', { id, update: { name: 'News' } })).toEqual([
    { event: 'chats.update', payload: { chats: [{ id, newsletter: { name: 'News' } }] } },
  ]);
});

it('publishes nothing about a message or a person that WhatsApp does not name', () => {
  const { id } = CHANNEL;
  expect(map('newsletter.reaction', { id, server_id: '', reaction: { code: '👍', count: 1 } })).toEqual([]);
  expect(map('newsletter.view', { id, server_id: '', count: 12 })).toEqual([]);
  const change = { id, author: '1@lid', user: '', new_role: 'ADMIN', action: 'promote' };
  expect(map('newsletter-participants.update', change)).toEqual([]);
});
