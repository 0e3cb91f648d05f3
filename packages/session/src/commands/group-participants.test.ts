import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

type Action = 'add' | 'remove' | 'promote' | 'demote';

const change = (group: string, action: Action, participants: string[], by: 'alice' | 'bob' = 'alice') =>
  team[by].session.execute('change-group-participants', { group, action, participants });

describe('change-group-participants', () => {
  it('adds, promotes, demotes and removes, and publishes it', async () => {
    const { alice, phones } = team;
    const { carl } = phones;
    const group = await team.group('Members', [phones.bob]);
    const { number, jid: phoneNumber, lid } = carl;
    const done = { participants: [{ participant: number, lid, phoneNumber, phone: number, result: 'done' }] };
    const expectDone = async (action: Action) => {
      expect(await change(group.jid, action, [carl.number])).toEqual(done);
      await alice.event('group-participants.update', group.jid, `"${action}"`, carl.lid);
    };
    await expectDone('add');
    expect(group.role(carl)).toBe('member');
    await expectDone('promote');
    expect(group.role(carl)).toBe('admin');
    await expectDone('demote');
    expect(group.role(carl)).toBe('member');
    await expectDone('remove');
    expect(group.has(carl)).toBe(false);
  });

  it('says for each person what WhatsApp refused', async () => {
    const { phones } = team;
    const { alice, bob, carl, dora } = phones;
    const group = await team.group('Refusals', [bob, carl]);
    group.leave(carl);
    dora.privacy.set('groupadd', 'contacts');
    const named = ['19998887777', bob.lid, carl.jid, `+${dora.number}`];
    const { participants } = await change(group.jid, 'add', named);
    dora.privacy.set('groupadd', 'all');
    expect(participants.map(({ participant, result, code }) => [participant, result, code])).toEqual([
      [named[0], 'not-on-whatsapp', undefined],
      [named[1], 'already-participant', 409],
      [named[2], 'left-recently', 408],
      [named[3], 'invitation-needed', 403],
    ]);
    expect(participants[3]?.invitation?.code).toMatch(/^\w{16}$/);
    expect(group.members()).toEqual([alice, bob]);

    const removed = await change(group.jid, 'remove', [carl.number, bob.number, bob.lid]);
    expect(removed.participants.map(({ result }) => result)).toEqual([
      'not-participant',
      'done',
      'not-participant',
    ]);
  });

  it('asks nothing if all people are unknown', async () => {
    const group = await team.group('Unknown');
    expect(await change(group.jid, 'add', ['19998887777'])).toEqual({
      participants: [{ participant: '19998887777', result: 'not-on-whatsapp' }],
    });
  });

  it('needs an admin, unless all participants may add people', async () => {
    const { phones } = team;
    const group = await team.group('Rights', [phones.bob]);
    const foreign = await team.group('Foreign');
    const { number } = phones.carl;
    await expect(change(group.jid, 'add', [number], 'bob')).rejects.toMatchObject({
      code: 'NOT_GROUP_ADMIN',
    });
    await expect(change(group.jid, 'remove', [phones.alice.lid], 'bob')).rejects.toMatchObject({
      code: 'NOT_GROUP_ADMIN',
    });
    await expect(change(foreign.jid, 'add', [number], 'bob')).rejects.toMatchObject({
      code: 'NOT_GROUP_MEMBER',
    });
    await expect(change('120363999999999999@g.us', 'add', [number])).rejects.toMatchObject({
      code: 'GROUP_NOT_FOUND',
    });
    group.configure(phones.alice, { membersCanAdd: true });
    expect(await change(group.jid, 'add', [number], 'bob')).toMatchObject({
      participants: [{ result: 'done' }],
    });
    // An admin who is not allowed to remove the creator is still an admin.
    group.promote(phones.alice, [phones.bob]);
    expect(await change(group.jid, 'remove', [phones.alice.lid], 'bob')).toMatchObject({
      participants: [{ result: 'refused', code: 403 }],
    });
  });
});

describe('list-group-participants', () => {
  it('has the change that was just made', async () => {
    const { alice, phones } = team;
    const group = await team.group('Current', [phones.bob]);
    const list = async () => {
      const { items } = await alice.session.execute('list-group-participants', {
        group: group.jid,
        limit: 100,
      });
      for (const { id, lid, phoneNumber, phone } of items) {
        expect([lid, `${phone}@s.whatsapp.net`]).toEqual([id, phoneNumber]);
      }
      return items.map(({ phoneNumber, admin }) => [phoneNumber, admin]).sort();
    };
    expect(await list()).toEqual([
      [phones.alice.jid, 'superadmin'],
      [phones.bob.jid, null],
    ]);
    await change(group.jid, 'promote', [phones.bob.number]);
    expect(await list()).toEqual([
      [phones.alice.jid, 'superadmin'],
      [phones.bob.jid, 'admin'],
    ]);
  });

  it('refuses a cursor that is not of an earlier page', async () => {
    const group = await team.group('Cursors');
    for (const cursor of ['x', '1', 'a b@lid', '@', '../x@lid']) {
      const listed = team.alice.session.execute('list-group-participants', {
        group: group.jid,
        limit: 1,
        cursor,
      });
      await expect(listed).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('has all pages of a group of 1,024, which was created with one call', async () => {
    const { alice, harness } = team;
    const people = Array.from({ length: 1_023 }, (_, index) =>
      harness.simulator.addPhone({ name: `P${index}`, number: `4917${String(index).padStart(8, '0')}` }),
    );
    const { group, participants } = await alice.session.execute('create-group', {
      subject: 'Large',
      participants: people.map(({ number }) => number),
    });
    expect(participants.every(({ result }) => result === 'done')).toBe(true);
    expect(group.size).toBe(1_024);
    const ids = [];
    let cursor: string | undefined;
    do {
      const page = await alice.session.execute('list-group-participants', {
        group: group.id,
        limit: 1_000,
        cursor,
      });
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(256 * 1024);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(new Set(ids).size).toBe(1_024);
    const full = await change(group.id, 'add', [team.phones.dora.number]);
    expect(full.participants).toMatchObject([{ result: 'group-full', code: 419 }]);
  });
});
