import { DEFAULT_SETTINGS, type SessionSettings } from '@wafleet/contract';
import { expect, it } from 'vitest';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { ChatFilter } from './chat-filter.js';

const PERSON = '15551234567@s.whatsapp.net';
const LID = '9990001@lid';
const GROUP = '120363000000000001@g.us';
const OTHER_GROUP = '120363000000000002@g.us';
const CHANNEL = '120363000000000003@newsletter';
const LIST = '1700000000@broadcast';
const STATUS = 'status@broadcast';

function filtered(ignore: Partial<SessionSettings['ignore']>, ...events: MappedEvent[]) {
  const settings = { ...DEFAULT_SETTINGS, ignore: { ...DEFAULT_SETTINGS.ignore, ...ignore } };
  return new ChatFilter({ settings }).apply(events);
}

const key = (remoteJid: string) => ({ remoteJid, id: 'A1' });
const messages = (...jids: string[]): MappedEvent => ({
  event: 'messages.upsert',
  payload: { type: 'notify', messages: jids.map((jid) => ({ key: key(jid) })) },
});

it('returns the same events if nothing is ignored', () => {
  const events = [messages(GROUP, PERSON), messages(STATUS)];
  expect(new ChatFilter({ settings: DEFAULT_SETTINGS }).apply(events)).toBe(events);
});

it.each([
  [{ groups: true }, [PERSON, STATUS, LIST, CHANNEL]],
  [{ statuses: true }, [PERSON, GROUP, LIST, CHANNEL]],
  [{ broadcasts: true }, [PERSON, GROUP, STATUS, CHANNEL]],
  [{ channels: true }, [PERSON, GROUP, STATUS, LIST]],
  [{ chats: [PERSON] }, [GROUP, STATUS, LIST, CHANNEL]],
  [{ chats: [GROUP, CHANNEL] }, [PERSON, STATUS, LIST]],
])('%j leaves the others, in order', (ignore, kept) => {
  const all = messages(PERSON, GROUP, STATUS, LIST, CHANNEL);
  expect(filtered(ignore, all)).toEqual([messages(...kept)]);
});

it.each<[string, MappedEvent]>([
  ['messages', messages(GROUP)],
  ['changes', { event: 'messages.update', payload: { updates: [{ key: key(GROUP), update: {} }] } }],
  ['reactions', { event: 'messages.reaction', payload: { reactions: [{ key: key(GROUP), reaction: {} }] } }],
  ['deletions', { event: 'messages.delete', payload: { keys: [key(GROUP)] } }],
  ['the deletion of a chat', { event: 'messages.delete', payload: { jid: GROUP, all: true } }],
  ['chats', { event: 'chats.upsert', payload: { chats: [{ id: GROUP }], history: true } }],
  ['changes of chats', { event: 'chats.update', payload: { chats: [{ id: GROUP }] } }],
  ['groups', { event: 'groups.upsert', payload: { groups: [{ id: GROUP }] } }],
  ['changes of groups', { event: 'groups.update', payload: { groups: [{ id: GROUP }] } }],
  ['pictures of groups', { event: 'contacts.update', payload: { contacts: [{ id: GROUP }] } }],
  ['members', { event: 'group-participants.update', payload: { id: GROUP, participants: [] } }],
  ['presences', { event: 'presence.update', payload: { id: GROUP, presences: {} } }],
  [
    'calls',
    { event: 'call', payload: { calls: [{ id: 'C', chatId: LID, isGroup: true, groupJid: GROUP }] } },
  ],
])('%s of an ignored group are left out', (_, event) => {
  expect(filtered({ groups: true }, event)).toEqual([]);
  if (event.event !== 'call') expect(filtered({ chats: [GROUP] }, event)).toEqual([]);
  expect(filtered({ statuses: true, chats: [OTHER_GROUP, PERSON] }, event)).toEqual([event]);
});

it('later events of a call of some group are left out with all groups', () => {
  const call: MappedEvent = { event: 'call', payload: { calls: [{ id: 'C', chatId: LID, isGroup: true }] } };
  expect(filtered({ groups: true }, call)).toEqual([]);
  expect(filtered({ chats: [GROUP] }, call)).toEqual([call]);
});

it.each<[string, MappedEvent]>([
  [
    'messages',
    { event: 'messages.upsert', payload: { messages: [{ key: { ...key(LID), remoteJidAlt: PERSON } }] } },
  ],
  ['chats', { event: 'chats.update', payload: { chats: [{ id: LID, pnJid: PERSON }] } }],
  ['presences', { event: 'presence.update', payload: { id: LID, idAlt: PERSON, presences: {} } }],
  ['deletions', { event: 'messages.delete', payload: { jid: LID, jidAlt: PERSON, all: true } }],
  ['calls', { event: 'call', payload: { calls: [{ id: 'C', chatId: '9990001:3@lid', callerPn: PERSON }] } }],
])('%s of an ignored person are left out, by either id', (_, event) => {
  expect(filtered({ chats: [PERSON] }, event)).toEqual([]);
  expect(filtered({ chats: [LID] }, event)).toEqual([]);
  expect(filtered({ chats: ['15559999999@s.whatsapp.net'] }, event)).toEqual([event]);
});

it('people stay known, since other chats show them too', () => {
  const contacts: MappedEvent = {
    event: 'contacts.update',
    payload: { contacts: [{ id: LID, phoneNumber: PERSON }] },
  };
  expect(filtered({ chats: [PERSON, LID], groups: true }, contacts)).toEqual([contacts]);
});
