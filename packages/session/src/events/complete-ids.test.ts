import { PartitionedLru } from '@wafleet/runtime';
import { SealedValueError } from '@wafleet/store';
import { expect, it } from 'vitest';
import { People } from '../identity/people.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { Completion } from './complete-ids.js';

const LID = '101@lid';
const NUMBER = '4915100001@s.whatsapp.net';

function makePeople(stored: Readonly<Record<string, unknown>> = {}) {
  const part = () => new PartitionedLru<string>({ max: 100 }).createPartition();
  const reads: (readonly string[])[] = [];
  const pairs = part();
  const people = new People({
    pairs,
    members: part(),
    usernames: part(),
    store: {
      readRecords: async (_, ids) => {
        reads.push(ids);
        return ids.map((id) => stored[id]);
      },
    },
  });
  return { people, pairs, reads };
}

async function complete(event: MappedEvent, people: People): Promise<MappedEvent> {
  const completion = new Completion([event], people);
  if (completion.unknown.length > 0) await people.load(completion.unknown);
  completion.complete();
  return event;
}

it('adds the other id to every key of a message, whatever stands around it', async () => {
  const { people } = makePeople({ '101_reverse': '4915100001', '4915100001': '101' });
  const key = (id: string) => ({ remoteJid: '12@g.us', id, participant: LID });
  const withAlt = (id: string) => ({ ...key(id), participantAlt: NUMBER });
  const message = {
    key: { remoteJid: NUMBER, id: 'A', fromMe: true },
    message: {
      pollUpdateMessage: { pollCreationMessageKey: key('poll') },
      ephemeralMessage: { message: { reactionMessage: { key: key('deep'), text: '👍' } } },
      pinInChatMessage: { key: key('pin') },
    },
    pollUpdates: [{ pollUpdateMessageKey: key('vote') }],
    userReceipt: [{ userJid: LID }],
  };
  const { payload } = await complete({ event: 'messages.upsert', payload: { messages: [message] } }, people);
  expect(payload).toEqual({
    messages: [
      {
        key: { remoteJid: NUMBER, remoteJidAlt: LID, id: 'A', fromMe: true },
        message: {
          pollUpdateMessage: { pollCreationMessageKey: withAlt('poll') },
          ephemeralMessage: { message: { reactionMessage: { key: withAlt('deep'), text: '👍' } } },
          pinInChatMessage: { key: withAlt('pin') },
        },
        pollUpdates: [{ pollUpdateMessageKey: withAlt('vote') }],
        userReceipt: [{ userJid: LID, userJidAlt: NUMBER }],
      },
    ],
  });
});

it.each<[MappedEvent['event'], MappedEvent['payload'], MappedEvent['payload']]>([
  ['messages.delete', { jid: LID, all: true }, { jid: LID, jidAlt: NUMBER, all: true }],
  ['presence.update', { id: NUMBER, presences: {} }, { id: NUMBER, idAlt: LID, presences: {} }],
  ['contacts.update', { contacts: [{ id: LID }] }, { contacts: [{ id: LID, phoneNumber: NUMBER }] }],
  ['contacts.upsert', { contacts: [{ id: NUMBER }] }, { contacts: [{ id: NUMBER, lid: LID }] }],
  ['chats.update', { chats: [{ id: LID }] }, { chats: [{ id: LID, pnJid: NUMBER }] }],
  ['chats.upsert', { chats: [{ id: NUMBER }] }, { chats: [{ id: NUMBER, lidJid: LID }] }],
  ['call', { calls: [{ from: LID }] }, { calls: [{ from: LID, callerPn: NUMBER }] }],
  ['call', { calls: [{ from: NUMBER }] }, { calls: [{ from: NUMBER, callerLid: LID }] }],
])('adds the other id in %s: %j', async (event, payload, completed) => {
  const { people } = makePeople({ '101_reverse': '4915100001', '4915100001': '101' });
  expect(await complete({ event, payload }, people)).toEqual({ event, payload: completed });
});

it('leaves what WhatsApp said, and names no id that is not known', async () => {
  const { people } = makePeople({ '101_reverse': '4915100001' });
  const contacts = [
    { id: LID, phoneNumber: '1@s.whatsapp.net' },
    { id: '102@lid' },
    { id: '12@g.us' },
    { id: '867051314767696@bot' },
  ];
  const { payload } = await complete(
    { event: 'contacts.update', payload: { contacts: structuredClone(contacts) } },
    people,
  );
  expect(payload).toEqual({ contacts });
});

it('reads all unknown people of an event at once, and none a second time, known or not', async () => {
  const { people, reads } = makePeople({ '101_reverse': '4915100001' });
  const event = (): MappedEvent => ({
    event: 'messages.delete',
    payload: {
      keys: [LID, '102@lid', `${LID.replace('@', ':3@')}`].map((remoteJid) => ({ remoteJid, id: 'A' })),
    },
  });
  await complete(event(), people);
  expect(reads).toEqual([['101_reverse', '102_reverse']]);
  await complete(event(), people);
  const reversed = { event: 'presence.update', payload: { id: NUMBER } } as const;
  expect((await complete(reversed, people)).payload).toMatchObject({ idAlt: LID });
  expect(reads).toHaveLength(1);
});

it('a pair that is learnt replaces the note that there was none', async () => {
  const { people, pairs } = makePeople();
  const presence = (): MappedEvent => ({ event: 'presence.update', payload: { id: LID } });
  expect((await complete(presence(), people)).payload).toEqual({ id: LID });
  // As Baileys does once it has stored a pair.
  pairs.set('lid:101', '4915100001');
  expect((await complete(presence(), people)).payload).toEqual({ id: LID, idAlt: NUMBER });
});

it('a stored pair that cannot be opened counts as unknown, and an outage does not', async () => {
  const part = () => new PartitionedLru<string>({ max: 100 }).createPartition();
  const failing = (error: Error) =>
    new People({
      pairs: part(),
      members: part(),
      usernames: part(),
      store: { readRecords: () => Promise.reject(error) },
    });
  const presence = (): MappedEvent => ({ event: 'presence.update', payload: { id: LID } });
  const sealed = await complete(presence(), failing(new SealedValueError('damaged')));
  expect(sealed.payload).toEqual({ id: LID });
  await expect(complete(presence(), failing(new Error('Redis is away')))).rejects.toThrow('Redis is away');
});
