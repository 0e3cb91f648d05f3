import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { until } from '../testing/until.js';

const simulator = new Simulator();
const alice = simulator.addPhone({ name: 'Alice' });
const bob = simulator.addPhone({ name: 'Bob' });
const carl = simulator.addPhone({ name: 'Carl' });
let aliceClient: Client;
let bobClient: Client;
let jid = '';

beforeAll(async () => {
  await simulator.start();
  aliceClient = await Client.linked(simulator, alice);
  bobClient = await Client.linked(simulator, bob);
});

afterAll(async () => {
  await Promise.all([aliceClient.end(), bobClient.end()]);
  await simulator.stop();
});

/** Waits until the client has emitted the event with this text in its data. */
const reported = (client: Client, event: string, text: string) =>
  until(`${event} with ${text}`, () =>
    client.events.some((each) => each.event === event && JSON.stringify(each.data).includes(text)),
  );

test('a client creates a group, and both sides talk in it', async () => {
  const group = await aliceClient.sock.groupCreate('Team', [bob.jid]);
  jid = group.id;
  expect(group.participants.map(({ id }) => id)).toEqual([alice.lid, bob.lid]);
  await reported(bobClient, 'groups.upsert', 'Team');
  await aliceClient.sock.sendMessage(jid, { text: 'from Alice' });
  expect((await bobClient.text('from Alice')).key).toMatchObject({ remoteJid: jid, participant: alice.lid });
  await bobClient.sock.sendMessage(jid, { text: 'from Bob' });
  await aliceClient.text('from Bob');
  await bob.waitForMessage(({ text }) => text === 'from Alice');
});

test('a poll, a forwarded message and a reaction', async () => {
  const poll = { name: 'When?', values: ['now', 'later'], selectableCount: 1 };
  await aliceClient.sock.sendMessage(jid, { poll });
  const asked = await bobClient.message(({ message }) => message?.pollCreationMessageV3?.name === 'When?');
  expect(asked.message?.pollCreationMessageV3?.options).toHaveLength(2);
  await bobClient.sock.sendMessage(jid, { react: { text: '👍', key: asked.key } });
  await reported(aliceClient, 'messages.reaction', '👍');
  await bobClient.sock.sendMessage(jid, { text: 'pass this on' });
  const original = await aliceClient.text('pass this on');
  await aliceClient.sock.sendMessage(jid, {
    forward: proto.WebMessageInfo.fromObject(original) as WAMessage,
  });
  const forwarded = await bobClient.message(
    ({ key, message }) => !key.fromMe && message?.extendedTextMessage?.text === 'pass this on',
  );
  expect(forwarded.message?.extendedTextMessage?.contextInfo?.isForwarded).toBe(true);
});

test('only admins change the members', async () => {
  const refused = await bobClient.sock.groupParticipantsUpdate(jid, [carl.jid], 'add');
  expect(refused).toMatchObject([{ status: '403', jid: carl.jid }]);
  const promoted = await aliceClient.sock.groupParticipantsUpdate(jid, [bob.jid], 'promote');
  expect(promoted).toMatchObject([{ status: '200' }]);
  expect(await bobClient.sock.groupParticipantsUpdate(jid, [carl.jid], 'add')).toMatchObject([
    { status: '200' },
  ]);
  await reported(aliceClient, 'group-participants.update', carl.lid);
  await aliceClient.sock.sendMessage(jid, { text: 'welcome' });
  await carl.waitForMessage(({ text }) => text === 'welcome');
  await carl.send(simulator.groups.require(jid), 'thank you');
  await bobClient.text('thank you');
});

test('subject, description and settings', async () => {
  await bobClient.sock.groupUpdateSubject(jid, 'Crew');
  await reported(aliceClient, 'groups.update', 'Crew');
  await bobClient.sock.groupUpdateDescription(jid, 'who we are');
  await reported(aliceClient, 'groups.update', 'who we are');
  await bobClient.sock.groupSettingUpdate(jid, 'announcement');
  await bobClient.sock.groupSettingUpdate(jid, 'locked');
  await bobClient.sock.groupToggleEphemeral(jid, 86_400);
  await bobClient.sock.groupMemberAddMode(jid, 'all_member_add');
  await bobClient.sock.groupJoinApprovalMode(jid, 'on');
  expect(await aliceClient.sock.groupMetadata(jid)).toMatchObject({
    subject: 'Crew',
    desc: 'who we are',
    announce: true,
    restrict: true,
    memberAddMode: true,
    joinApprovalMode: true,
    ephemeralDuration: 86_400,
  });
  await expect(carl.send(simulator.groups.require(jid), 'may I?')).rejects.toThrow('may not write');
  await bobClient.sock.groupUpdateDescription(jid);
  expect((await aliceClient.sock.groupMetadata(jid)).desc).toBeUndefined();
});

test('a removed member can neither read nor write', async () => {
  await aliceClient.sock.groupParticipantsUpdate(jid, [bob.jid], 'remove');
  await reported(bobClient, 'group-participants.update', 'remove');
  await expect(bobClient.sock.groupMetadata(jid)).rejects.toThrow('forbidden');
  await aliceClient.sock.sendMessage(jid, { text: 'without Bob' });
  await carl.waitForMessage(({ text }) => text === 'without Bob');
  await expect(bobClient.sock.sendMessage(jid, { text: 'from outside' })).rejects.toThrow('forbidden');
  expect(bobClient.messages.some(({ message }) => message?.extendedTextMessage?.text === 'without Bob')).toBe(
    false,
  );
});

test('people join by the link and leave', async () => {
  await aliceClient.sock.groupJoinApprovalMode(jid, 'off');
  const old = await aliceClient.sock.groupInviteCode(jid);
  const code = (await aliceClient.sock.groupRevokeInvite(jid)) ?? '';
  expect(code).not.toBe(old);
  await expect(bobClient.sock.groupAcceptInvite(old ?? '')).rejects.toThrow('not-acceptable');
  expect((await bobClient.sock.groupGetInviteInfo(code)).subject).toBe('Crew');
  expect(await bobClient.sock.groupAcceptInvite(code)).toBe(jid);
  expect(Object.keys(await bobClient.sock.groupFetchAllParticipating())).toEqual([jid]);
  const sent = await bobClient.sock.sendMessage(jid, { text: 'only admins may' });
  await reported(bobClient, 'messages.update', `"id":"${sent?.key.id}"},"update":{"status":0`);
  await bobClient.sock.groupLeave(jid);
  expect(await bobClient.sock.groupFetchAllParticipating()).toEqual({});
});
