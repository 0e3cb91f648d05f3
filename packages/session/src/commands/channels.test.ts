import type { Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let anna: Phone;
let carl: Phone;
let test: TestSession;

beforeAll(async () => {
  harness = await Harness.start();
  anna = harness.simulator.addPhone({ name: 'Anna' });
  carl = harness.simulator.addPhone({ name: 'Carl' });
  test = await harness.newSession();
  await test.link(anna);
});
afterAll(() => harness.stop());

const channels = () => harness.simulator.channels;
const UNKNOWN = '120363999999999999@newsletter';
const image = '/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==';
let ids = 0;
const nextId = () => {
  ids += 1;
  return `3EB0C4A${ids}`;
};

describe('a channel', () => {
  it('is created, changed and deleted', async () => {
    const made = await test.session.execute('create-channel', { name: 'News', description: 'All of it' });
    const channel = channels().require(made.id);
    expect(made).toEqual({
      id: channel.jid,
      name: 'News',
      description: 'All of it',
      invitation: channel.inviteCode,
      link: `https://whatsapp.com/channel/${channel.inviteCode}`,
      createdAt: new Date(channel.createdAt * 1_000).toISOString(),
      followers: 0,
      verified: false,
      state: 'active',
      role: 'owner',
      muted: false,
      pictureUrl: null,
    });
    const named = { channel: channel.jid };
    await test.session.execute('change-channel', { ...named, name: 'Old news', description: null });
    expect([channel.name, channel.description]).toEqual(['Old news', '']);
    await test.session.execute('change-channel', { ...named, description: 'Again' });
    expect([channel.name, channel.description]).toEqual(['Old news', 'Again']);

    await test.session.execute('set-channel-picture', { ...named, image });
    const path = channel.picturePath ?? '';
    expect(harness.simulator.media.get(path)).toEqual(Buffer.from(image, 'base64'));
    const withPicture = await test.session.execute('get-channel', named);
    expect(withPicture.pictureUrl).toBe(`https://pps.whatsapp.net${path}`);
    await test.session.execute('remove-channel-picture', named);
    expect(await test.session.execute('get-channel', named)).toMatchObject({ pictureUrl: null });

    await test.session.execute('delete-channel', named);
    expect(channels().find(channel.jid)).toBeUndefined();
    await expect(test.session.execute('get-channel', named)).rejects.toMatchObject({
      code: 'CHANNEL_NOT_FOUND',
    });
  });

  it('is created without a description', async () => {
    const made = await test.session.execute('create-channel', { name: 'Bare' });
    expect(made).toMatchObject({ name: 'Bare', description: null });
    channels().delete(channels().require(made.id));
  });

  it('of somebody else is found, followed, muted and listed', async () => {
    const channel = channels().create(carl, 'Carl’s', 'By Carl');
    const named = { channel: channel.jid };
    const found = await test.session.execute('get-channel-by-invitation', { invitation: channel.inviteCode });
    expect(found).toMatchObject({ id: channel.jid, name: 'Carl’s' });
    expect(found.role).toBeUndefined();
    expect(await test.session.execute('get-channel', named)).toMatchObject({ role: 'guest', muted: false });

    await test.session.execute('follow-channel', named);
    await test.session.execute('mute-channel', named);
    const [listed] = (await test.session.execute('list-channels', { limit: 100 })).items;
    expect(listed).toMatchObject({ id: channel.jid, role: 'subscriber', muted: true, followers: 1 });
    await test.session.execute('unmute-channel', named);
    expect(channel.muted.size).toBe(0);
    await test.session.execute('unfollow-channel', named);
    expect(await test.session.execute('list-channels', { limit: 100 })).toEqual({ items: [] });
  });

  it('is listed in pages', async () => {
    const made = ['A', 'B', 'C'].map((name) => channels().create(anna, name).jid).sort();
    const first = await test.session.execute('list-channels', { limit: 2 });
    const rest = await test.session.execute('list-channels', { limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made);
    expect(rest.nextCursor).toBeUndefined();
    for (const id of made) channels().delete(channels().require(id));
  });

  it('is refused to those without the right', async () => {
    const channel = channels().create(carl, 'Locked');
    for (const [id, code] of [
      [channel.jid, 'NOT_CHANNEL_ADMIN'],
      [UNKNOWN, 'CHANNEL_NOT_FOUND'],
    ] as const) {
      const named = { channel: id };
      const calls = [
        () => test.session.execute('change-channel', { ...named, name: 'Mine' }),
        () => test.session.execute('set-channel-picture', { ...named, image }),
        () => test.session.execute('delete-channel', named),
        () => test.session.execute('send-message', { to: id, text: 'hi', messageId: nextId() }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code });
    }
    await expect(test.session.execute('follow-channel', { channel: UNKNOWN })).rejects.toMatchObject({
      code: 'CHANNEL_NOT_FOUND',
    });
    await expect(
      test.session.execute('get-channel-by-invitation', { invitation: '0029VaNothing' }),
    ).rejects.toMatchObject({ code: 'CHANNEL_NOT_FOUND' });
    expect([channel.name, channel.posts]).toEqual(['Locked', []]);
  });

  it('names WhatsApp’s code if WhatsApp refuses', async () => {
    const { simulator } = harness;
    simulator.refuseRequests('query', 429);
    const refused = test.session.execute('create-channel', { name: 'Too many' });
    await expect(refused).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 429 } });
    // The account has not accepted the terms for channels: no admin's right is missing.
    simulator.refuseRequests('query', 403);
    const notAccepted = test.session.execute('create-channel', { name: 'No terms' });
    await expect(notAccepted).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 403 } });
    simulator.resume();
  });
});

describe('a message of a channel', () => {
  it('is posted, edited and deleted', async () => {
    const channel = channels().create(anna, 'Posts');
    const messageId = nextId();
    const sent = await test.session.execute('send-message', { to: channel.jid, text: 'hi', messageId });
    expect(sent).toEqual({ messageId, serverId: '100' });
    const [post] = channel.posts;
    expect(post).toMatchObject({ id: messageId, type: 'text', sender: anna });
    // Nothing in a channel is encrypted: no person needs a secret for it.
    expect(JSON.parse(JSON.stringify(post?.message))).toEqual({ extendedTextMessage: { text: 'hi' } });
    await test.event('messages.upsert', messageId, '"server_id":"100"', '"fromMe":true');

    const edit = { target: messageId, messageId: nextId() };
    expect(await test.session.execute('edit-message', { ...edit, text: 'hi again' })).toEqual({
      messageId: edit.messageId,
    });
    expect(post).toMatchObject({ isEdited: true, message: { extendedTextMessage: { text: 'hi again' } } });
    await test.event('messages.update', messageId, 'hi again');

    const deletion = { target: messageId, chat: channel.jid, messageId: nextId() };
    await test.session.execute('delete-message', deletion);
    expect(post?.message).toBeUndefined();
    await test.event('messages.delete', messageId, channel.jid);
    expect(channel.posts).toHaveLength(1);
  });

  it('is not said to have failed if WhatsApp refuses to change it', async () => {
    const channel = channels().create(anna, 'Unchanged');
    const messageId = nextId();
    await test.session.execute('send-message', { to: channel.jid, text: 'stays', messageId });
    await test.event('messages.upsert', messageId);
    harness.simulator.refuseMessages(403, anna);
    const edit = { target: messageId, messageId: nextId(), text: 'changed' };
    await expect(test.session.execute('edit-message', edit)).rejects.toMatchObject({
      code: 'NOT_CHANNEL_ADMIN',
    });
    const deletion = { target: messageId, chat: channel.jid, messageId: nextId() };
    await expect(test.session.execute('delete-message', deletion)).rejects.toMatchObject({
      code: 'NOT_CHANNEL_ADMIN',
    });
    const refused = { to: channel.jid, text: 'refused', messageId: nextId() };
    await expect(test.session.execute('send-message', refused)).rejects.toMatchObject({
      code: 'NOT_CHANNEL_ADMIN',
    });
    harness.simulator.resume();
    await test.event('messages.update', refused.messageId, '"403"');
    const updates = (await test.events()).filter(({ event }) => event === 'messages.update');
    expect(JSON.stringify(updates)).not.toContain(messageId);
  });

  it('is posted once, though its command is repeated', async () => {
    const channel = channels().create(anna, 'Once');
    const fields = { to: channel.jid, text: 'once', messageId: nextId() };
    const first = await test.session.execute('send-message', fields);
    expect(await test.session.execute('send-message', fields)).toEqual(first);
    expect(channel.posts).toHaveLength(1);
  });

  it('can be a poll', async () => {
    const channel = channels().create(anna, 'Polls');
    const content = { type: 'poll' as const, question: 'Drink?', options: ['tea', 'coffee'] };
    await test.session.execute('send-message', { to: channel.jid, content, messageId: nextId() });
    expect(channel.posts).toMatchObject([
      { type: 'poll', message: { pollCreationMessageV3: { name: 'Drink?' } } },
    ]);
  });

  it('comes as an event, gets reactions and is listed', async () => {
    const channel = channels().create(carl, 'Many');
    await test.session.execute('follow-channel', { channel: channel.jid });
    for (const text of ['one', 'two', 'three']) channel.post(carl, { conversation: text });
    await test.event('messages.upsert', channel.jid, 'three', '"server_id":"102"');

    const react = (emoji: string) =>
      test.session.execute('send-message', {
        to: channel.jid,
        content: { type: 'reaction', messageId: '101', emoji },
        messageId: nextId(),
      });
    await react('👍');
    const [, second, third] = channel.posts;
    expect(second?.reactions.get(anna)).toBe('👍');
    if (third !== undefined) Object.assign(third, { message: undefined, views: 7 });

    const list = (page: { limit: number; cursor?: string | undefined }) =>
      test.session.execute('list-channel-messages', { channel: channel.jid, ...page });
    const first = await list({ limit: 2 });
    expect(first).toMatchObject({
      items: [
        { key: { remoteJid: channel.jid, server_id: '102' }, views: 7 },
        {
          key: { id: second?.id, server_id: '101' },
          message: { conversation: 'two' },
          reactions: [{ text: '👍', count: 1 }],
        },
      ],
      nextCursor: '101',
    });
    expect(first.items[0]?.message).toBeUndefined();
    const next = await list({ limit: 2, cursor: first.nextCursor });
    expect(next.items.map(({ message }) => message)).toEqual([{ conversation: 'one' }]);
    expect(await list({ limit: 2, cursor: next.nextCursor })).toEqual({ items: [] });

    await react('');
    expect(second?.reactions.size).toBe(0);
    await expect(list({ limit: 2 }).then(() => listOf(UNKNOWN))).rejects.toMatchObject({
      code: 'CHANNEL_NOT_FOUND',
    });
  });

  it('does not keep the others from being listed, however large it is', async () => {
    const channel = channels().create(carl, 'Large');
    for (const text of ['one', '\u0001'.repeat(60_000), 'three']) channel.post(carl, { conversation: text });
    const { items, nextCursor } = await test.session.execute('list-channel-messages', {
      ...{ channel: channel.jid, limit: 3 },
    });
    const [third, second, first] = items;
    expect(third?.message).toEqual({ conversation: 'three' });
    expect(second?.key).toMatchObject({ id: channel.posts[1]?.id });
    expect(second?.message).toBeUndefined();
    expect(first?.message).toEqual({ conversation: 'one' });
    expect(nextCursor).toBe('100');
  });

  const listOf = (channel: string) => test.session.execute('list-channel-messages', { channel, limit: 1 });

  it('does not allow what channels do not have', async () => {
    const channel = channels().create(carl, 'Plain');
    await test.session.execute('follow-channel', { channel: channel.jid });
    const { id } = channel.post(carl, { conversation: 'read only' });
    await test.event('messages.upsert', id);
    const pin = { target: id, days: 7, messageId: nextId() } as const;
    await waitFor(
      () =>
        test.session.execute('pin-message', pin).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'MESSAGE_UNSUITABLE', details: { problem: 'channel' } });
          return true;
        }),
      { what: 'the refusal' },
    );
    const deletion = { target: id, messageId: nextId() };
    await expect(test.session.execute('delete-message', deletion)).rejects.toMatchObject({
      code: 'NOT_CHANNEL_ADMIN',
    });
  });

  it('may or may not have been sent if WhatsApp does not acknowledge it', async () => {
    const channel = channels().create(anna, 'Cut');
    harness.simulator.breakAcks('cut', anna);
    const fields = { to: channel.jid, text: 'cut', messageId: nextId() };
    await expect(test.session.execute('send-message', fields)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { messageId: fields.messageId },
    });
    harness.simulator.resume();
    await waitFor(() => test.session.status === 'open', { what: 'an open session' });
    await test.session.execute('send-message', fields);
    expect(channel.posts.map(({ id }) => id)).toEqual([fields.messageId]);
  });
});
