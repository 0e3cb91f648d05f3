import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

const GROUP = '120363999999999999@g.us';

describe('create-group', () => {
  it('makes a group, and says of each person whether it was added', async () => {
    const { alice, bob, phones } = team;
    phones.dora.privacy.set('groupadd', 'contacts');
    const { group, participants } = await alice.session.execute('create-group', {
      subject: 'Team ✓',
      participants: ['+4915100000002', phones.carl.lid, phones.dora.jid, '19998887777'],
    });
    phones.dora.privacy.set('groupadd', 'all');

    expect(group).toMatchObject({ subject: 'Team ✓', size: 3, owner: phones.alice.lid });
    expect(participants).toEqual([
      {
        participant: '+4915100000002',
        lid: phones.bob.lid,
        phoneNumber: phones.bob.jid,
        phone: phones.bob.number,
        result: 'done',
      },
      {
        participant: phones.carl.lid,
        lid: phones.carl.lid,
        phoneNumber: phones.carl.jid,
        phone: phones.carl.number,
        result: 'done',
      },
      {
        participant: phones.dora.jid,
        phoneNumber: phones.dora.jid,
        phone: phones.dora.number,
        result: 'invitation-needed',
        code: 403,
        invitation: { code: expect.stringMatching(/^\w{16}$/), expiresAt: expect.stringMatching(/Z$/) },
      },
      { participant: '19998887777', result: 'not-on-whatsapp' },
    ]);
    const made = team.find(group.id);
    expect(made.members()).toEqual([phones.alice, phones.bob, phones.carl]);
    expect(made.role(phones.alice)).toBe('superadmin');
    await bob.event('groups.upsert', group.id, 'Team ✓');
    await alice.event('groups.upsert', group.id);
  });

  it('makes one without other people', async () => {
    const group = await team.group('Alone');
    expect(group.members()).toEqual([team.phones.alice]);
  });
});

describe('list-groups', () => {
  it('has pages, without participants, and publishes no event', async () => {
    const { alice, phones } = team;
    const made = [await team.group('A'), await team.group('B', [phones.bob]), await team.group('C')];
    const list = async () => {
      const items = [];
      let cursor: string | undefined;
      do {
        const page = await alice.session.execute('list-groups', { limit: 2, cursor });
        expect(page.items.length).toBeLessThanOrEqual(2);
        items.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return items;
    };
    const ids = (await list()).map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(expect.arrayContaining(made.map(({ jid }) => jid)));
    expect(new Set(ids).size).toBe(ids.length);
    const found = (await list()).find(({ id }) => id === made[1]?.jid);
    expect(found).toMatchObject({ subject: 'B', size: 2 });
    expect(found).not.toHaveProperty('participants');
    const updates = (await alice.events()).filter(({ event }) => event === 'groups.update');
    expect(updates).toEqual([]);
  });
});

describe('get-group', () => {
  it('shows what the group is now, and asks WhatsApp only after a change', async () => {
    const { alice, phones } = team;
    const group = await team.group('Once', [phones.bob]);
    const get = () => alice.session.execute('get-group', { group: group.jid });
    expect(await get()).toMatchObject({ id: group.jid, subject: 'Once', size: 2 });
    const { queries } = group;
    expect(await get()).not.toHaveProperty('participants');
    expect(group.queries).toBe(queries);
    group.setSubject(phones.bob, 'Twice');
    await alice.event('groups.update', group.jid, 'Twice');
    expect(await get()).toMatchObject({ subject: 'Twice', subjectOwner: phones.bob.lid });
  });

  it('says whether the group does not exist, or the account is not in it', async () => {
    const { bob } = team;
    const foreign = await team.group('Foreign');
    const get = (group: string) => bob.session.execute('get-group', { group });
    await expect(get(GROUP)).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
    await expect(get(foreign.jid)).rejects.toMatchObject({ code: 'NOT_GROUP_MEMBER' });
  });
});

describe('change-group', () => {
  it('changes every field, and all participants learn it', async () => {
    const { alice, bob, phones } = team;
    const group = await team.group('Before', [phones.bob]);
    await bob.event('groups.upsert', group.jid);
    const change = {
      subject: 'After',
      desc: 'who we are',
      restrict: true,
      announce: true,
      memberAddMode: true,
      joinApprovalMode: true,
      ephemeralDuration: 86_400,
    } as const;
    await alice.session.execute('change-group', { group: group.jid, ...change });
    expect(group).toMatchObject({ subject: 'After', description: { text: 'who we are' } });
    expect(group.settings).toEqual({
      restrict: true,
      announce: true,
      membersCanAdd: true,
      joinApproval: true,
      ephemeralSeconds: 86_400,
    });
    expect(await alice.session.execute('get-group', { group: group.jid })).toMatchObject(change);
    for (const text of ['"subject":"After"', 'who we are', '"restrict":true', '"announce":true']) {
      await bob.event('groups.update', group.jid, text);
    }

    const undo = { desc: null, restrict: false, announce: false, memberAddMode: false } as const;
    const rest = { joinApprovalMode: false, ephemeralDuration: 0 } as const;
    await alice.session.execute('change-group', { group: group.jid, ...undo, ...rest });
    expect(group.description).toBeUndefined();
    expect(Object.values(group.settings)).toEqual([false, false, false, false, 0]);
    const after = await alice.session.execute('get-group', { group: group.jid });
    expect(after).toMatchObject({ subject: 'After', restrict: false, announce: false });
    expect(after).not.toHaveProperty('desc');
    await bob.event('groups.update', group.jid, '"desc":null');
  });

  it('is refused to those without the right, and says what was done before', async () => {
    const { bob, phones } = team;
    const group = await team.group('Rights', [phones.bob]);
    const foreign = await team.group('Foreign');
    const change = (id: string, fields: object) =>
      bob.session.execute('change-group', { group: id, ...fields });
    await expect(change(group.jid, { announce: true })).rejects.toMatchObject({ code: 'NOT_GROUP_ADMIN' });
    await expect(change(group.jid, { subject: 'By Bob', announce: true })).rejects.toMatchObject({
      code: 'NOT_GROUP_ADMIN',
      details: { done: ['subject'] },
    });
    expect(group.subject).toBe('By Bob');
    expect(group.settings.announce).toBe(false);
    await expect(change(foreign.jid, { subject: 'Mine' })).rejects.toMatchObject({
      code: 'NOT_GROUP_MEMBER',
    });
    expect(foreign.subject).toBe('Foreign');
    await expect(change(GROUP, { subject: 'x' })).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
  });
});

describe('leave-group', () => {
  it('takes the account out, once', async () => {
    const { alice, bob, phones } = team;
    const group = await team.group('Leave', [phones.bob]);
    const leave = () => bob.session.execute('leave-group', { group: group.jid });
    await leave();
    expect(group.members()).toEqual([phones.alice]);
    await alice.event('group-participants.update', group.jid, '"remove"', phones.bob.lid);
    await expect(leave()).rejects.toMatchObject({ code: 'NOT_GROUP_MEMBER' });
    await expect(bob.session.execute('leave-group', { group: GROUP })).rejects.toMatchObject({
      code: 'GROUP_NOT_FOUND',
    });
  });
});
