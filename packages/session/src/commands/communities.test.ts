import { afterAll, beforeAll, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

const UNKNOWN = '120363999999999999@g.us';

async function newCommunity(subject = 'Company') {
  const fields = { subject, desc: 'all of us' };
  const { community } = await team.alice.session.execute('create-community', fields);
  return team.find(community.id);
}

async function groupsOf(community: string) {
  const { items } = await team.alice.session.execute('list-community-groups', { community, limit: 100 });
  return items.map(({ id, subject }) => [id, subject]).sort();
}

it('creates a community, and groups in it', async () => {
  const { alice, bob, phones } = team;
  const { community } = await alice.session.execute('create-community', {
    subject: 'Company',
    desc: 'all of us',
  });
  expect(community).toMatchObject({ subject: 'Company', desc: 'all of us', isCommunity: true, size: 1 });
  const [announcements] = await groupsOf(community.id);
  expect(announcements?.[1]).toBe('Company');

  const { group, participants } = await alice.session.execute('create-group', {
    subject: 'Sales',
    participants: [phones.bob.number],
    community: community.id,
  });
  expect(participants).toMatchObject([{ result: 'done' }]);
  expect(group).toMatchObject({ subject: 'Sales', linkedParent: community.id, size: 2 });
  expect(await groupsOf(community.id)).toEqual([announcements, [group.id, 'Sales']].sort());
  await bob.event('groups.upsert', group.id, community.id);
});

it('links and unlinks a group, each also a second time', async () => {
  const { alice } = team;
  const community = await newCommunity();
  const group = await team.group('Support');
  const ids = { community: community.jid, group: group.jid };
  const get = () => alice.session.execute('get-group', { group: group.jid });
  expect(await get()).not.toHaveProperty('linkedParent');
  for (let time = 0; time < 2; time += 1) {
    expect(await alice.session.execute('link-group', ids)).toEqual({});
    expect(group.place.parent).toBe(community.jid);
    expect(await get()).toMatchObject({ linkedParent: community.jid });
  }
  const other = await newCommunity('Other');
  await expect(alice.session.execute('link-group', { ...ids, community: other.jid })).rejects.toMatchObject({
    code: 'WHATSAPP_REFUSED',
    details: { code: 409 },
  });

  await alice.session.execute('unlink-group', ids);
  expect(group.place.parent).toBeUndefined();
  expect(await get()).not.toHaveProperty('linkedParent');
  await expect(alice.session.execute('unlink-group', ids)).rejects.toMatchObject({
    code: 'GROUP_NOT_FOUND',
  });
});

it('is refused to those without the right', async () => {
  const { alice, bob, phones } = team;
  const community = await newCommunity();
  const own = team.find(
    (await bob.session.execute('create-group', { subject: 'Mine', participants: [] })).group.id,
  );
  const ids = { community: community.jid, group: own.jid };
  const outside = { code: 'NOT_GROUP_MEMBER' };
  await expect(bob.session.execute('link-group', ids)).rejects.toMatchObject(outside);
  const page = { community: community.jid, limit: 10 };
  await expect(bob.session.execute('list-community-groups', page)).rejects.toMatchObject(outside);
  const create = { subject: 'Sub', participants: [], community: community.jid };
  await expect(bob.session.execute('create-group', create)).rejects.toMatchObject(outside);

  community.add(phones.alice, [phones.bob]);
  const noAdmin = { code: 'NOT_GROUP_ADMIN' };
  await expect(bob.session.execute('link-group', ids)).rejects.toMatchObject(noAdmin);
  await expect(bob.session.execute('unlink-group', ids)).rejects.toMatchObject(noAdmin);
  await expect(bob.session.execute('create-group', create)).rejects.toMatchObject(noAdmin);
  // Alice is an admin of the community, but not in Bob's group.
  await expect(alice.session.execute('link-group', ids)).rejects.toMatchObject(noAdmin);
  expect(own.place.parent).toBeUndefined();

  const none = { code: 'GROUP_NOT_FOUND' };
  const unknown = { ...ids, community: UNKNOWN };
  await expect(bob.session.execute('link-group', unknown)).rejects.toMatchObject(none);
  await expect(alice.session.execute('link-group', { ...ids, group: UNKNOWN })).rejects.toMatchObject(none);
});
