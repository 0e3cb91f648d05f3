import { statusBroadcast } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';

const { harness, anna, carl, test } = await linkedAccount();

/** The key under which a message was published. */
async function keyOf(id: string): Promise<Record<string, unknown>> {
  const { payload } = await test.event('messages.upsert', id);
  const messages = payload.messages as { key: Record<string, unknown> }[];
  const message = messages.find(({ key }) => key.id === id);
  if (message === undefined) throw new Error(`no message ${id}`);
  return message.key;
}

const acknowledged = () =>
  waitFor(() => [...anna.devices.values()].every(({ pendingCount }) => pendingCount === 0), {
    what: 'the acknowledgement of all stanzas',
  });

describe('in broadcasts', () => {
  it('the other id of the author stands beside the author, in statuses and lists alike', async () => {
    const list = '15551230001-1700000000@broadcast';
    const [status, listed] = [
      (await carl.send(statusBroadcast, 'a status', { audience: [anna] })).id,
      await carl.outbox.sendByList(list, [anna], 'to many'),
    ];
    for (const [id, remoteJid] of [
      [status, 'status@broadcast'],
      [listed, list],
    ] as const) {
      expect(await keyOf(id)).toEqual({
        remoteJid,
        id,
        fromMe: false,
        participant: carl.lid,
        participantAlt: carl.jid,
        addressingMode: 'lid',
      });
    }
  });

  it("the account's own status is its own, and counts as read", async () => {
    const { id } = await anna.send(statusBroadcast, 'my status', { audience: [carl] });
    expect(await keyOf(id)).toEqual({
      remoteJid: 'status@broadcast',
      id,
      fromMe: true,
      participant: anna.lid,
      participantAlt: anna.jid,
      addressingMode: 'lid',
    });
    const later = await carl.send(anna, 'later');
    await test.event('messages.upsert', later.id);
    const chats = (await test.events())
      .filter(({ event }) => event === 'chats.update')
      .flatMap(({ payload }) => payload.chats as { id: string; unreadCount?: number }[])
      .filter((chat) => chat.id === 'status@broadcast');
    expect(chats.filter(({ unreadCount }) => unreadCount !== undefined)).toHaveLength(1);
  });
});

describe('what the account writes on its phone', () => {
  it.each([
    ['a bot', '867051314767696@bot', '867051314767696@bot'],
    ['a channel', '120363144038483540@newsletter', '120363144038483540@newsletter'],
    ['a broadcast list', '15551230001-1700000001@broadcast', '15551230001-1700000001@broadcast'],
    ['somebody on another network', '12345@interop', '12345@interop'],
    ['somebody on Messenger', '67890@msgr', '67890@msgr'],
    ['a hosted number', '15551239999@hosted', '15551239999@s.whatsapp.net'],
    ['a hosted LID', '123456789012345@hosted.lid', '123456789012345@lid'],
    ['a number without a LID', '15551239998@s.whatsapp.net', '15551239998@s.whatsapp.net'],
  ])('to %s is in the chat with it, and acknowledged', async (_, recipient, remoteJid) => {
    for (const addressing of ['lid', 'pn'] as const) {
      const id = await anna.outbox.writeTo(recipient, `to ${recipient}`, { addressing });
      expect(await keyOf(id)).toMatchObject({ remoteJid, id, fromMe: true });
      await acknowledged();
    }
  });

  it('to a bot leaves the ids of the account as they are', async () => {
    const [device] = anna.devices.values();
    const id = await anna.outbox.writeTo('867051314767696@bot', 'a question');
    await keyOf(id);
    device?.deliver({
      tag: 'message',
      attrs: {
        from: anna.lid,
        recipient: '867051314767696@bot',
        peer_recipient_pn: '13135550002@s.whatsapp.net',
        addressing_mode: 'lid',
        id: 'BOT-WITH-A-NUMBER',
        t: String(harness.simulator.now()),
        type: 'text',
      },
      content: [{ tag: 'unavailable', attrs: {} }],
    });
    await keyOf('BOT-WITH-A-NUMBER');
    await acknowledged();
    const note = await anna.send(anna, 'a note to myself');
    expect(await keyOf(note.id)).toMatchObject({ remoteJid: anna.lid, remoteJidAlt: anna.jid });
  });
});

it('what a bot writes, in its chat or in a group, is acknowledged and published without its content', async () => {
  const group = anna.createGroup('With a bot', [carl]);
  await test.event('groups.upsert', group.jid);
  const [device] = anna.devices.values();
  const bot = '867051314767696@bot';
  const stanza = (id: string, attrs: Record<string, string>, type: string) => ({
    tag: 'message',
    attrs: { ...attrs, id, t: String(harness.simulator.now()), type: 'text' },
    content: [
      { tag: 'bot', attrs: { edit: 'first' } },
      { tag: 'enc', attrs: { v: '2', type }, content: Buffer.alloc(64, 7) },
    ],
  });
  device?.deliver(stanza('BOT-1', { from: bot }, 'msmsg'));
  device?.deliver(stanza('BOT-2', { from: group.jid, participant: bot }, 'msmsg'));
  device?.deliver(stanza('BOT-3', { from: bot }, 'pkmsg'));
  device?.deliver(stanza('BOT-4', { from: anna.lid, recipient: bot }, 'msmsg'));
  const after = await carl.send(anna, 'after the bot');
  await test.event('messages.upsert', after.id);
  await acknowledged();
  const notices = (await test.events())
    .filter(({ event }) => event === 'messages.upsert')
    .flatMap(({ payload }) => (Array.isArray(payload.messages) ? payload.messages : []))
    .filter(({ key }) => /^BOT-[1234]$/.test(key.id));
  expect(notices).toMatchObject([
    { key: { id: 'BOT-1', remoteJid: bot }, unavailable: { reason: 'unsupported' } },
    { key: { id: 'BOT-2', remoteJid: group.jid, participant: bot }, unavailable: { reason: 'bot' } },
    { key: { id: 'BOT-3', remoteJid: bot }, unavailable: { reason: 'unsupported' } },
    { key: { id: 'BOT-4', remoteJid: bot, fromMe: true }, unavailable: { reason: 'bot' } },
  ]);
  for (const { message } of notices) expect(message).toBeUndefined();
});

it('what the account writes to a bot is in the chat with the bot, even if WhatsApp omits attributes', async () => {
  const [device] = anna.devices.values();
  const bot = '867051314767696@bot';
  const contents = [
    [{ tag: 'enc', attrs: { v: '2', type: 'msmsg' }, content: Buffer.alloc(64, 7) }],
    [{ tag: 'unavailable', attrs: { type: 'bot_unavailable_fanout' } }],
    [{ tag: 'enc', attrs: { v: '2', type: 'frskmsg2' }, content: Buffer.alloc(64, 7) }],
    [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(64, 7) }],
  ];
  for (const [index, content] of contents.entries()) {
    for (const [from, other] of [
      [anna.lid, { peer_recipient_pn: '13135550002@s.whatsapp.net' }],
      [anna.jid, { peer_recipient_lid: '100000000000001@lid' }],
    ] as const) {
      const id = `TO-BOT-${index}-${from.split('@')[1]}`;
      const attrs = { ...other, from, recipient: bot, id, t: String(harness.simulator.now()), type: 'text' };
      device?.deliver({ tag: 'message', attrs, content });
      const key = await keyOf(id);
      expect(key).toMatchObject({ remoteJid: bot, id, fromMe: true });
      expect(key).not.toHaveProperty('remoteJidAlt');
      await acknowledged();
    }
  }
});

it('a status without its content has its author beside the other id, and the own one is its own', async () => {
  const [device] = anna.devices.values();
  for (const [author, fromMe] of [
    [carl, false],
    [anna, true],
  ] as const) {
    const id = `STATUS-${author.name}`;
    device?.deliver({
      tag: 'message',
      attrs: {
        from: statusBroadcast.jid,
        participant: author.lid,
        participant_pn: author.jid,
        id,
        t: String(harness.simulator.now()),
        type: 'text',
      },
      content: [{ tag: 'unavailable', attrs: { type: 'hosted_unavailable_fanout' } }],
    });
    const key = await keyOf(id);
    expect(key).toMatchObject({
      ...{ remoteJid: 'status@broadcast', id, fromMe },
      ...{ participant: author.lid, participantAlt: author.jid },
    });
    expect(key).not.toHaveProperty('remoteJidAlt');
    await acknowledged();
  }
});
