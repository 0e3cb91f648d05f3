import { expect, it } from 'vitest';
import { groupMessage, map } from '../testing/mapping.js';

const empty = { chats: [], contacts: [], messages: [] };

it('comes as upserts, marked as history, with the part that they are of', () => {
  const mapped = map('messaging-history.set', {
    chats: [
      { id: '1203@g.us', name: 'Team', messages: [{ message: groupMessage({ conversation: 'last' }) }] },
    ],
    contacts: [{ id: '2@lid', name: 'Carl' }],
    messages: [
      groupMessage({ conversation: 'last' }),
      groupMessage({ protocolMessage: { type: 0, key: { id: 'T' } } }),
    ],
    lidPnMappings: [
      { lid: '2@lid', pn: '15@s.whatsapp.net' },
      { lid: '2@lid', pn: '15@s.whatsapp.net' },
    ],
    pastParticipants: [
      {
        groupJid: '1203@g.us',
        pastParticipants: [{ userJid: '3@lid', leaveReason: 0, leaveTs: 1700000000 }],
      },
    ],
    syncType: 3,
    progress: 60,
    chunkOrder: 9,
    isLatest: false,
    peerDataRequestSessionId: null,
  });
  const marks = { history: true, sync: { type: 3, progress: 60, chunk: 9, isLatest: false } };
  expect(mapped).toMatchObject([
    { event: 'contacts.upsert', payload: { contacts: [{ id: '2@lid', name: 'Carl' }], ...marks } },
    {
      event: 'contacts.update',
      payload: { contacts: [{ id: '2@lid', lid: '2@lid', phoneNumber: '15@s.whatsapp.net' }], ...marks },
    },
    { event: 'chats.upsert', payload: { chats: [{ id: '1203@g.us', name: 'Team' }], ...marks } },
    { event: 'messages.upsert', payload: { type: 'append', ...marks } },
    {
      event: 'groups.update',
      payload: {
        groups: [
          { id: '1203@g.us', pastParticipants: [{ userJid: '3@lid', leaveReason: 0, leaveTs: 1700000000 }] },
        ],
        ...marks,
      },
    },
  ]);
  expect(JSON.stringify(mapped).split('last')).toHaveLength(2);
});

it('is bounded in number', () => {
  const messages = Array.from({ length: 450 }, (_, index) =>
    groupMessage({ conversation: `${index}` }, { id: `H${index}` }),
  );
  const contacts = Array.from({ length: 201 }, (_, index) => ({ id: `${index}@lid` }));
  const mapped = map('messaging-history.set', { ...empty, contacts, messages });
  expect(mapped.map(({ event }) => event)).toEqual([
    'contacts.upsert',
    'contacts.upsert',
    'messages.upsert',
    'messages.upsert',
    'messages.upsert',
  ]);
  for (const { payload } of mapped) expect(payload.history).toBe(true);
  const ids = mapped.flatMap(({ payload }) => payload.messages ?? []);
  expect(ids).toHaveLength(450);
});

it('is bounded in size, but for one message that is larger than an event should be', () => {
  const messages = [10, 100_000, 100_000, 100_000, 400_000, 10].map((length, index) =>
    groupMessage({ conversation: 'x'.repeat(length) }, { id: `H${index}` }),
  );
  const lists = map('messaging-history.set', { ...empty, messages }).map(({ payload }) => payload.messages);
  expect(lists.map((list) => (Array.isArray(list) ? list.length : 0))).toEqual([3, 1, 1, 1]);
});

it('is reported as complete once all of it has come', () => {
  expect(map('messaging-history.status', { syncType: 3, status: 'complete', explicit: true })).toEqual([
    {
      event: 'connection.update',
      payload: {
        connection: 'open',
        status: 'open',
        since: '2026-11-22T05:54:01.118Z',
        history: { type: 3, status: 'complete', isExplicit: true },
      },
    },
  ]);
});
