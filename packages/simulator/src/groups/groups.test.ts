import { beforeAll, expect, test } from 'vitest';
import { markDirty } from '../notifications/notices.js';
import { deliverReceipt } from '../phone/deliver-receipt.js';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { until } from '../testing/until.js';
import type { Group } from './group.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();
let team: Group;
const nina = simulator.addPhone({ name: 'Nina', number: '15551230009' });

beforeAll(async () => {
  await alice.settings.setUnarchiveChats(true);
});

const triggers: Readonly<Record<string, () => unknown>> = {
  'group created by other': () => {
    team = carl.createGroup('Team', [alice, dora]);
  },
  'group text': () => carl.send(team, 'hello group', { id: 'GM1' }),
  'group reaction': () => dora.react({ id: 'GM1', sender: carl, chat: team }, '🎉', { id: 'GRX' }),
  'group subject': () => team.setSubject(carl, 'Team 2'),
  'group description': () => team.setDescription(carl, 'desc here'),
  'group announce': () => team.configure(carl, { announce: true }),
  'group locked': () => team.configure(carl, { restrict: true }),
  'group invite link': () => team.revokeInvite(carl),
  'group ephemeral': () => team.configure(carl, { ephemeralSeconds: 604_800 }),
  'group add': () => team.add(carl, [nina]),
  'group promote': () => team.promote(carl, [dora]),
  'group demote': () => team.demote(carl, [dora]),
  'group remove': () => team.remove(carl, [nina]),
  'group leave': () => team.leave(dora),
  'group picture': () => carl.setPicture(Buffer.from('a picture'), team),
  'we create group': () => client.sock.groupCreate('Mine', [carl.jid, dora.jid]),
  groupFetchAllParticipating: () => client.sock.groupFetchAllParticipating(),
  'dirty groups': () => markDirty(alice, 'groups'),
  groupMetadata: () => client.sock.groupMetadata(team.jid),
  'group typing': () => carl.showState(team, 'composing'),
};

test.each(Object.entries(triggers))('%s', async (trigger, act) => {
  await expectTrigger(trigger, client, act);
});

test('we send to group (sender key)', async () => {
  team.configure(carl, { announce: false });
  await until('the setting to be known', () => client.device.pendingCount === 0);
  await expectTrigger('we send to group (sender key)', client, () =>
    client.sock.sendMessage(team.jid, { text: 'to the group' }),
  );
});

test('receipts of a group', async () => {
  const message = await carl.waitForMessage(({ text }) => text === 'to the group');
  const receipt = { author: alice, reader: carl, chat: team, addressing: 'lid', ids: [message.id] } as const;
  await expectTrigger('group delivery receipt', client, () =>
    deliverReceipt({ ...receipt, type: 'delivered', timestamp: simulator.now() }),
  );
  await expectTrigger('group read receipt', client, () => carl.markRead(message));
});

test('member tag', async () => {
  await carl.send(team, 'after this the client has the sender key');
  await client.text('after this the client has the sender key');
  await expectTrigger('member tag', client, () => team.tagMember(carl, 'Boss', 1));
});

test('join request', async () => {
  const club = alice.createGroup('Club', []);
  club.configure(alice, { joinApproval: true });
  await until('the group to be known', () => client.device.pendingCount === 0);
  await expectTrigger('join request', client, () => dora.joinGroup(club.inviteCode));
  expect(await client.sock.groupRequestParticipantsList(club.jid)).toMatchObject([{ jid: dora.lid }]);
  await client.sock.groupRequestParticipantsUpdate(club.jid, [dora.lid], 'approve');
  expect(club.has(dora)).toBe(true);
});
