import { PartitionedLru } from '@wafleet/runtime';
import { digestOfMessage } from '@wafleet/store';
import { describe, expect, it } from 'vitest';
import { People } from '../identity/people.js';
import { digestsOf } from './message-digests.js';

const me = { id: '4930:3@s.whatsapp.net', lid: '930:3@lid', name: 'Anna' };
const LID = '101@lid';
const NUMBER = '4915100001@s.whatsapp.net';

function digests(attrs: Record<string, string>, knows: 'pair' | 'nothing' = 'nothing') {
  const part = () => new PartitionedLru<string>({ max: 100 }).createPartition();
  const people = new People({
    pairs: part(),
    members: part(),
    usernames: part(),
    store: { readRecords: async () => [] },
  });
  if (knows === 'pair') people.note({ lid: LID, phoneNumber: NUMBER });
  const found = digestsOf({ tag: 'message', attrs: { id: 'A', ...attrs } }, me, people);
  if (found === undefined) throw new Error('not a message');
  return found;
}

const cases: readonly (readonly [string, Record<string, string>, Record<string, string>])[] = [
  ['a chat', { from: LID, sender_pn: NUMBER }, { from: NUMBER }],
  ['a chat by number', { from: NUMBER, sender_lid: LID }, { from: LID }],
  ['a hosted device', { from: '4915100001:99@hosted', sender_lid: LID }, { from: NUMBER }],
  ['a hosted device by LID', { from: '101:99@hosted.lid' }, { from: LID }],
  [
    'a group',
    { from: '1@g.us', participant: LID, participant_pn: NUMBER },
    { from: '1@g.us', participant: NUMBER },
  ],
  [
    'a group, one’s own',
    { from: '1@g.us', participant: '930:5@lid' },
    { from: '1@g.us', participant: '4930:5@s.whatsapp.net' },
  ],
  [
    'a chat, one’s own',
    { from: me.lid, recipient: LID, peer_recipient_pn: NUMBER },
    { from: me.id, recipient: NUMBER },
  ],
  [
    'a status update',
    { from: 'status@broadcast', participant: LID, participant_pn: NUMBER },
    { from: 'status@broadcast', participant: NUMBER },
  ],
  [
    'a status update, one’s own',
    { from: 'status@broadcast', participant: '930:5@lid' },
    { from: 'status@broadcast', participant: '4930:5@s.whatsapp.net' },
  ],
];

describe('a message is known under both addresses', () => {
  it.each(cases)('of %s, where one of the two stanzas says both', (_, first, second) => {
    expect(digests(second).all).toContain(digests(second).own);
    expect(digests(first).all).toContain(digests(second).own);
  });

  it.each(cases)('of %s, where the memory knows the pair', (_, first, second) => {
    expect(digests(second, 'pair').all).toContain(digests(first).own);
    expect(digests(second, 'pair').unknown).toEqual([]);
  });
});

it('the digest that is stored is that of the address by which the message came, as earlier releases made it', () => {
  expect(digests({ from: '101:7@lid' }).own).toBe(digestOfMessage([LID, '', '', 'A']));
  expect(digests({ from: '1@g.us', participant: NUMBER, participant_lid: LID }).own).toBe(
    digestOfMessage(['1@g.us', NUMBER, '', 'A']),
  );
  const hosted = '4915100001@hosted';
  expect(digests({ from: hosted }).all).toContain(digestOfMessage([hosted, '', '', 'A']));
});

it('names people whose other id is not in memory', () => {
  expect(digests({ from: LID }).unknown).toEqual([{ kind: 'lid', user: '101' }]);
  expect(digests({ from: LID, sender_pn: NUMBER }).unknown).toEqual([]);
  expect(digests({ from: '1@g.us', participant: me.lid }).unknown).toEqual([]);
});

it('messages of different people, chats and ids have different digests', () => {
  const { own } = digests({ from: LID, sender_pn: NUMBER });
  const others = [
    digests({ from: LID, sender_pn: NUMBER, id: 'B' }),
    digests({ from: '102@lid', sender_pn: '4915100002@s.whatsapp.net' }),
    digests({ from: me.lid, recipient: LID, peer_recipient_pn: NUMBER }),
    digests({ from: '1@g.us', participant: LID, participant_pn: NUMBER }),
  ];
  for (const { all } of others) expect(all).not.toContain(own);
});
