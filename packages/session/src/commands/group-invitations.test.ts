import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

const UNKNOWN = 'AbCdEfGhIjKlMnOpQrStUv';

describe('the invitation of a group', () => {
  it('is shown and replaced for admins', async () => {
    const { alice, phones } = team;
    const group = await team.group('Open', [phones.bob]);
    const first = await alice.session.execute('get-group-invitation', { group: group.jid });
    expect(first).toEqual({
      code: group.inviteCode,
      url: `https://chat.whatsapp.com/${group.inviteCode}`,
    });
    const next = await alice.session.execute('revoke-group-invitation', { group: group.jid });
    expect(next.code).toBe(group.inviteCode);
    expect(next.code).not.toBe(first.code);
    await alice.event('groups.update', group.jid, next.code);
  });

  it('is refused to others', async () => {
    const { bob, phones } = team;
    const group = await team.group('Closed', [phones.bob]);
    const foreign = await team.group('Foreign');
    for (const kind of ['get-group-invitation', 'revoke-group-invitation'] as const) {
      const ask = (id: string) => bob.session.execute(kind, { group: id });
      await expect(ask(group.jid)).rejects.toMatchObject({ code: 'NOT_GROUP_ADMIN' });
      await expect(ask(foreign.jid)).rejects.toMatchObject({ code: 'NOT_GROUP_MEMBER' });
      await expect(ask('120363999999999999@g.us')).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
    }
  });
});

describe('an invitation', () => {
  it.each([
    ['its code', (code: string) => code],
    ['its link', (code: string) => `https://chat.whatsapp.com/${code}?mode=ac_t`],
    ['an older link', (code: string) => `https://chat.whatsapp.com/invite/${code}`],
  ])('leads to the group by %s', async (_, spell) => {
    const { alice, bob, phones } = team;
    const group = await team.group('Join us');
    const invitation = spell(group.inviteCode);
    const seen = await bob.session.execute('get-invited-group', { invitation });
    expect(seen).toMatchObject({ id: group.jid, subject: 'Join us', size: 1 });
    expect(group.has(phones.bob)).toBe(false);
    const join = () => bob.session.execute('join-group', { invitation });
    expect(await join()).toEqual({ group: group.jid, result: 'joined' });
    expect(group.has(phones.bob)).toBe(true);
    await alice.event('group-participants.update', group.jid, '"add"', phones.bob.lid);
    expect(await join()).toEqual({ group: group.jid, result: 'already-participant' });
  });

  it('asks an admin if the group wants it', async () => {
    const { alice, bob, phones } = team;
    const group = await team.group('Ask first');
    await alice.session.execute('change-group', { group: group.jid, joinApprovalMode: true });
    const join = () => bob.session.execute('join-group', { invitation: group.inviteCode });
    expect(await join()).toEqual({ group: group.jid, result: 'requested' });
    expect(await join()).toEqual({ group: group.jid, result: 'requested' });
    expect(group.has(phones.bob)).toBe(false);
    await alice.event('groups.update', group.jid, '"joinRequests"');
  });

  it('is refused if it is unknown or was revoked', async () => {
    const { bob, phones } = team;
    const group = await team.group('Revoked');
    const old = group.inviteCode;
    group.revokeInvite(phones.alice);
    for (const invitation of [UNKNOWN, old]) {
      for (const kind of ['get-invited-group', 'join-group'] as const) {
        await expect(bob.session.execute(kind, { invitation })).rejects.toMatchObject({
          code: 'INVITATION_INVALID',
        });
      }
    }
    expect(group.members()).toEqual([phones.alice]);
  });
});
