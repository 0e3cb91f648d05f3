import { expect, it } from 'vitest';
import { map } from '../testing/mapping.js';

const TEAM = '1203@g.us';

it('names the group as the author if WhatsApp names no author', () => {
  const participants = [{ id: '1@lid', admin: null }];
  const data = { id: TEAM, author: '', participants, action: 'add' } as const;
  expect(map('group-participants.update', data)).toEqual([
    { event: 'group-participants.update', payload: { id: TEAM, author: TEAM, participants, action: 'add' } },
  ]);
});

it('publishes a member’s tag as a change of that member', () => {
  const tag = { groupId: TEAM, participant: '1@lid', participantAlt: '15@s.whatsapp.net', label: 'Boss' };
  expect(map('group.member-tag.update', tag)).toEqual([
    {
      event: 'group-participants.update',
      payload: {
        id: TEAM,
        author: '1@lid',
        participants: [{ id: '1@lid', lid: '1@lid', phoneNumber: '15@s.whatsapp.net', tag: 'Boss' }],
        action: 'modify',
      },
    },
  ]);
});

it('publishes a request to join as a change of the group', () => {
  expect(
    map('group.join-request', {
      id: TEAM,
      author: '1@lid',
      participant: '1@lid',
      participantPn: '15@s.whatsapp.net',
      action: 'created',
      method: 'invite_link',
    }),
  ).toEqual([
    {
      event: 'groups.update',
      payload: {
        groups: [
          {
            id: TEAM,
            author: '1@lid',
            joinRequests: [
              {
                participant: '1@lid',
                participantPn: '15@s.whatsapp.net',
                action: 'created',
                method: 'invite_link',
              },
            ],
          },
        ],
      },
    },
  ]);
});

it('publishes nothing for a request to join if WhatsApp does not name the person', () => {
  const request = { id: TEAM, author: '', participant: '', participantPn: '', action: 'created' } as const;
  expect(map('group.join-request', { ...request, method: undefined })).toEqual([]);
});

it('splits many groups that were asked for at once into several events', () => {
  const groups = Array.from({ length: 3 }, (_, index) => ({
    id: `${index}@g.us`,
    subject: 'Team',
    owner: undefined,
    participants: Array.from({ length: 1500 }, (_person, member) => ({
      id: `${100_000_000_000_000 + member}@lid`,
      phoneNumber: `${15_550_000_000 + member}@s.whatsapp.net`,
      admin: null,
    })),
  }));
  const mapped = map('groups.update', groups);
  expect(mapped.length).toBeGreaterThan(1);
  expect(mapped.flatMap(({ payload }) => payload.groups ?? [])).toHaveLength(3);
});
