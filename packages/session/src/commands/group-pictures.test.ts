import { afterAll, beforeAll, expect, it } from 'vitest';
import { GroupTeam } from '../testing/group-team.js';

let team: GroupTeam;

beforeAll(async () => {
  team = await GroupTeam.start();
});
afterAll(() => team.stop());

const JPEG = Buffer.from('/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==', 'base64');
const image = JPEG.toString('base64');

it('sets, shows and removes the picture, and publishes it', async () => {
  const { alice, bob, phones, harness } = team;
  const { simulator } = harness;
  const group = await team.group('Picture', [phones.bob]);
  const get = () => bob.session.execute('get-group-picture', { group: group.jid });
  expect(await get()).toEqual({});
  await alice.session.execute('set-group-picture', { group: group.jid, image });
  const path = simulator.pictures.of(group)?.path ?? '';
  expect(simulator.media.get(path)).toEqual(JPEG);
  expect((await get()).url).toMatch(new RegExp(`^https://.*${path}$`));
  await bob.event('contacts.update', group.jid, '"imgUrl":"changed"');

  await alice.session.execute('remove-group-picture', { group: group.jid });
  expect(simulator.pictures.of(group)).toBeUndefined();
  expect(await get()).toEqual({});
  await bob.event('contacts.update', group.jid, '"imgUrl":"removed"');
});

it('is refused to those without the right', async () => {
  const { bob, phones, harness } = team;
  const group = await team.group('Locked', [phones.bob]);
  group.configure(phones.alice, { restrict: true });
  const foreign = await team.group('Foreign');
  for (const [id, code] of [
    [group.jid, 'NOT_GROUP_ADMIN'],
    [foreign.jid, 'NOT_GROUP_MEMBER'],
    ['120363999999999999@g.us', 'GROUP_NOT_FOUND'],
  ] as const) {
    const set = bob.session.execute('set-group-picture', { group: id, image });
    await expect(set).rejects.toMatchObject({ code });
    const remove = bob.session.execute('remove-group-picture', { group: id });
    await expect(remove).rejects.toMatchObject({ code });
  }
  for (const each of [group, foreign]) expect(harness.simulator.pictures.of(each)).toBeUndefined();
  await expect(bob.session.execute('get-group-picture', { group: foreign.jid })).rejects.toMatchObject({
    code: 'NOT_GROUP_MEMBER',
  });
});
