import { expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';
import { until } from '../testing/until.js';

const { simulator, client, alice, carl } = useLinkedClient();

test('a client finds, follows and mutes a channel, and gets what is posted', async () => {
  const channel = simulator.channels.create(carl, 'News', 'All of it');
  const { sock } = client;
  expect(await sock.newsletterMetadata('jid', channel.jid)).toMatchObject({
    id: channel.jid,
    thread_metadata: { name: { text: 'News' }, description: { text: 'All of it' } },
    viewer_metadata: { role: 'GUEST' },
  });
  expect(await sock.newsletterMetadata('invite', channel.inviteCode)).toMatchObject({ id: channel.jid });
  await sock.newsletterFollow(channel.jid);
  await sock.newsletterMute(channel.jid);
  expect([channel.roleOf(alice), channel.muted.has(alice)]).toEqual(['SUBSCRIBER', true]);

  const post = channel.post(carl, { conversation: 'first' });
  const { key } = await client.text('first');
  expect(key).toMatchObject({ remoteJid: channel.jid, id: post.id, server_id: '100', fromMe: false });
  await until('the acknowledgement', () => client.device.pendingCount === 0);
  await sock.newsletterReactMessage(channel.jid, '100', '👍');
  expect([...post.reactions]).toEqual([[alice, '👍']]);
  await sock.newsletterUnmute(channel.jid);
  await sock.newsletterUnfollow(channel.jid);
  expect([channel.roleOf(alice), channel.muted.size]).toEqual(['GUEST', 0]);
});

test('only admins of a channel write, change and delete it', async () => {
  const { sock } = client;
  const own = simulator.channels.create(alice, 'Own');
  const { key } = (await sock.sendMessage(own.jid, { text: 'mine' })) ?? {};
  await until('the post', () => own.posts.length === 1);
  expect(own.posts[0]).toMatchObject({ id: key?.id, sender: alice });
  await sock.newsletterUpdateName(own.jid, 'Renamed');
  expect(own.name).toBe('Renamed');
  await sock.newsletterDelete(own.jid);
  expect(simulator.channels.find(own.jid)).toBeUndefined();

  const other = simulator.channels.create(carl, 'Other');
  await expect(sock.newsletterUpdateName(other.jid, 'Mine')).rejects.toThrow('forbidden');
  await expect(sock.newsletterDelete(other.jid)).rejects.toThrow('forbidden');
  await sock.sendMessage(other.jid, { text: 'not mine' });
  const refused = () => client.events.some(({ data }) => JSON.stringify(data).includes('"403"'));
  await until('the refusal', refused);
  expect(other.posts).toEqual([]);
});

test('a new channel has no picture, which Baileys does not expect', async () => {
  await expect(client.sock.newsletterCreate('Leaked')).rejects.toThrow(TypeError);
  expect(simulator.channels.of(alice).map(({ name }) => name)).toContain('Leaked');
});
