import { afterAll, beforeAll, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

async function groupWithRequests() {
  const { alice, bob, carl, dora } = team.phones;
  const group = await team.group('Club', [bob]);
  group.configure(alice, { joinApproval: true });
  for (const person of [carl, dora]) person.joinGroup(group.inviteCode);
  return group;
}

const answer = (group: string, action: 'approve' | 'reject', participants: string[]) =>
  team.alice.session.execute('answer-group-join-requests', { group, action, participants });

it('lists who wants to join', async () => {
  const { carl, dora } = team.phones;
  const group = await groupWithRequests();
  const list = (limit: number, cursor?: string) =>
    team.alice.session.execute('list-group-join-requests', { group: group.jid, limit, cursor });
  const expected = [carl, dora]
    .map((person) => ({
      id: person.lid,
      lid: person.lid,
      phoneNumber: person.jid,
      phone: person.number,
      method: 'invite_link',
      requestedAt: new Date(Number(group.requestedAt(person)) * 1_000).toISOString(),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  expect(await list(100)).toEqual({ items: expected });
  const first = await list(1);
  expect(first).toEqual({ items: [expected[0]], nextCursor: expected[0]?.id });
  expect(await list(1, first.nextCursor)).toEqual({ items: [expected[1]] });
});

it('approves and rejects, and publishes it', async () => {
  const { alice, bob, carl, dora } = team.phones;
  const group = await groupWithRequests();
  expect(await answer(group.jid, 'approve', [carl.number, bob.lid])).toMatchObject({
    participants: [{ result: 'done' }, { participant: bob.lid, result: 'not-requested', code: 404 }],
  });
  await team.alice.event('group-participants.update', group.jid, '"add"', carl.lid);
  expect(await answer(group.jid, 'reject', [dora.lid, '19998887777'])).toMatchObject({
    participants: [{ result: 'done' }, { result: 'not-on-whatsapp' }],
  });
  await team.alice.event('groups.update', group.jid, '"rejected"', dora.lid);
  expect(group.members()).toEqual([alice, bob, carl]);
  expect(group.joinRequests).toEqual([]);
});

it('is for admins alone', async () => {
  const { dora } = team.phones;
  const group = await groupWithRequests();
  const foreign = await team.group('Foreign');
  const { session } = team.bob;
  for (const [id, code] of [
    [group.jid, 'NOT_GROUP_ADMIN'],
    [foreign.jid, 'NOT_GROUP_MEMBER'],
    ['120363999999999999@g.us', 'GROUP_NOT_FOUND'],
  ] as const) {
    await expect(session.execute('list-group-join-requests', { group: id, limit: 10 })).rejects.toMatchObject(
      { code },
    );
    await expect(
      session.execute('answer-group-join-requests', {
        group: id,
        action: 'approve',
        participants: [dora.number],
      }),
    ).rejects.toMatchObject({ code });
  }
  expect(group.has(dora)).toBe(false);
});
