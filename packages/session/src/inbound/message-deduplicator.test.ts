import type { Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

type Device = Awaited<ReturnType<Phone['scan']>>;
type Stanza = Parameters<Device['deliver']>[0];

const CIPHERTEXT = 2;
const TIMEOUT_MS = 60_000;

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** What a client sees of a message, once per event: its text, or a notice that it could not be decrypted. */
async function toldOf(session: TestSession, id: string): Promise<(string | 'notice')[]> {
  const messages = (await session.events()).flatMap(({ payload }) =>
    Array.isArray(payload.messages) ? payload.messages : [],
  );
  return messages
    .filter(({ key }) => key.id === id)
    .map(({ message, messageStubType }) =>
      messageStubType === CIPHERTEXT ? 'notice' : String(message?.conversation),
    );
}

/** Exchanges a first message, so that the writer's later messages belong to a known Signal session (type `msg`). */
async function acquainted({ session }: TestSession, writer: Phone): Promise<void> {
  await session.execute('send-text', {
    to: writer.number,
    text: 'hello',
    messageId: `HELLO${writer.number}`,
  });
  await writer.waitForMessage(({ text }) => text === 'hello', { timeoutMs: TIMEOUT_MS });
}

async function linked(): Promise<{ session: TestSession; phone: Phone; device: Device }> {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const session = await harness.newSession();
  await session.link(phone);
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  return { session, phone, device };
}

/** Another worker takes the session. Resolves when it has acknowledged the waiting messages. */
async function takenOver({ fence }: TestSession, device: Device): Promise<TestSession> {
  const next = await harness.takeOver(fence, fence.worker);
  await next.session.start();
  await next.status('open', TIMEOUT_MS);
  await acknowledged(device);
  return next;
}

async function acknowledged(device: Device): Promise<void> {
  await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged', timeoutMs: TIMEOUT_MS });
}

/** Sends while no worker owns the session, and returns the stanza that WhatsApp keeps for it. */
async function sentInAbsence(
  { session }: TestSession,
  device: Device,
  send: () => Promise<{ id: string }>,
): Promise<{ id: string; stanza: Stanza }> {
  session.discard();
  await waitFor(() => !device.isOnline, { what: 'the session closed', timeoutMs: TIMEOUT_MS });
  const { id } = await send();
  const stanza = device.pending().find(({ tag, attrs }) => tag === 'message' && attrs.id === id);
  if (stanza === undefined) throw new Error('WhatsApp keeps nothing');
  return { id, stanza };
}

const ways = ['first message', 'further message', 'message to a group', 'message of one’s own'] as const;

test.each(ways)('a %s whose receipt was lost is published once, though it comes again', async (way) => {
  const { session, phone, device } = await linked();
  const writer = harness.simulator.addPhone({ name: 'Berta' });
  const group = writer.createGroup('friends', [phone]);
  if (way === 'further message') await acquainted(session, writer);
  if (way === 'message to a group') {
    const { id } = await writer.send(group, { text: 'hello' });
    await waitFor(async () => (await toldOf(session, id)).length > 0, {
      what: 'an earlier message',
      timeoutMs: TIMEOUT_MS,
    });
  }
  await acknowledged(device);
  const isOwn = way === 'message of one’s own';
  const sender = isOwn ? phone : writer;
  const to = isOwn ? writer : way === 'message to a group' ? group : phone;
  const { id, stanza } = await sentInAbsence(session, device, () => sender.send(to, { text: 'once' }));

  const second = await takenOver(session, device);
  await waitFor(async () => (await toldOf(second, id)).length > 0, {
    what: 'the message',
    timeoutMs: TIMEOUT_MS,
  });
  second.session.discard();
  await waitFor(() => !device.isOnline, { what: 'the session closed', timeoutMs: TIMEOUT_MS });
  device.deliver(stanza);

  const third = await takenOver(second, device);
  const { id: last } = await sender.send(to, { text: 'last' });
  await waitFor(async () => (await toldOf(third, last)).length > 0, {
    what: 'a later message',
    timeoutMs: TIMEOUT_MS,
  });
  expect(await toldOf(third, id)).toEqual(['once']);
});

test('a message that could not be decrypted at first is published when it has been sent again', async () => {
  const { session, phone, device } = await linked();
  const writer = harness.simulator.addPhone({ name: 'Cora' });
  await acquainted(session, writer);
  await acknowledged(device);
  const { id, stanza } = await sentInAbsence(session, device, () => writer.send(phone, { text: 'at last' }));
  const content = Array.isArray(stanza.content) ? stanza.content : [];
  const damaged = content.map((node) =>
    node.tag === 'enc' && node.content instanceof Uint8Array
      ? {
          ...node,
          content: node.content.map((byte, index, all) => (index === all.length - 3 ? byte ^ 1 : byte)),
        }
      : node,
  );
  device.deliver({ ...stanza, content: damaged });

  const second = await takenOver(session, device);
  await waitFor(async () => (await toldOf(second, id)).includes('at last'), {
    what: 'the message',
    timeoutMs: TIMEOUT_MS,
  });
  expect(await toldOf(second, id)).toEqual(['notice', 'at last']);
});

test.each(['person', 'group'] as const)(
  'a message of a %s that is encrypted again under the same id is published once, also by the next worker',
  async (kind) => {
    const { session, phone, device } = await linked();
    const writer = harness.simulator.addPhone({ name: 'Dora' });
    const to = kind === 'person' ? phone : writer.createGroup('friends', [phone]);
    const tell = async (reported: TestSession, text: string, id?: string) => {
      const sent = await writer.send(to, { text }, id === undefined ? {} : { id });
      await waitFor(async () => (await toldOf(reported, sent.id)).length > 0, {
        what: text,
        timeoutMs: TIMEOUT_MS,
      });
      return sent.id;
    };
    const id = await tell(session, 'once');
    await tell(session, 'once', id);
    await tell(session, 'once', id);
    await tell(session, 'later');
    expect(await toldOf(session, id)).toEqual(['once']);
    await acknowledged(device);
    session.session.discard();
    await waitFor(() => !device.isOnline, { what: 'the session closed', timeoutMs: TIMEOUT_MS });

    const second = await takenOver(session, device);
    await tell(second, 'once', id);
    const last = await tell(second, 'last');
    expect(await toldOf(second, id)).toEqual(['once']);
    expect(await toldOf(second, last)).toEqual(['last']);
  },
);

test.each(['a reaction', 'an edit', 'a deletion'] as const)(
  '%s that is encrypted again under the same id is published once',
  async (kind) => {
    const { session, phone } = await linked();
    const writer = harness.simulator.addPhone({ name: 'Emma' });
    const { id } = await writer.send(phone, { text: 'first words' });
    await session.event('messages.upsert', 'first words');
    const key = { id, remoteJid: phone.jid, fromMe: true };
    const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;
    const contents = {
      'a reaction': { reactionMessage: { key, text: '🎈', senderTimestampMs: 1_790_000_000_000 } },
      'an edit': {
        protocolMessage: { key, type: MESSAGE_EDIT, editedMessage: { conversation: 'other words' } },
      },
      'a deletion': { protocolMessage: { key, type: REVOKE } },
    };
    const change = await writer.send(phone, contents[kind]);
    await writer.send(phone, { text: 'between' });
    await session.event('messages.upsert', 'between');
    const changes = async () =>
      (await session.events()).filter(({ event }) =>
        ['messages.reaction', 'messages.update', 'messages.delete'].includes(event),
      ).length;
    const published = await changes();
    expect(published).toBeGreaterThan(0);
    await writer.send(phone, contents[kind], { id: change.id });
    await writer.send(phone, { text: 'last' });
    await session.event('messages.upsert', '"last"');
    expect(await changes()).toBe(published);
  },
);

test.each(['person', 'group'] as const)(
  'a message of a %s that is encrypted again under its id does not count as unread again',
  async (kind) => {
    const { session, phone } = await linked();
    const writer = harness.simulator.addPhone({ name: 'Hal' });
    const to = kind === 'person' ? phone : writer.createGroup('friends', [phone]);
    const unread = async () =>
      (await session.events())
        .filter(({ event }) => event === 'chats.update')
        .flatMap(({ payload }) => (Array.isArray(payload.chats) ? payload.chats : []))
        .reduce((sum, { unreadCount = 0 }) => sum + unreadCount, 0);
    const send = async (text: string, id?: string) => {
      const sent = await writer.send(to, { text }, id === undefined ? {} : { id });
      await session.event('messages.upsert', `"${text}"`);
      return sent.id;
    };
    const id = await send('once');
    await waitFor(async () => (await unread()) === 1, { what: 'one unread message' });
    await send('once', id);
    await send('once', id);
    await send('last');
    await waitFor(async () => (await unread()) >= 2, { what: 'another unread message' });
    expect(await unread()).toBe(2);
  },
);

test('each edit of a channel’s post has the id of the post and is published once', async () => {
  const { session, device } = await linked();
  const from = '120363000000000001@newsletter';
  const deliver = (message: proto.IMessage, edit: Record<string, string> = {}) =>
    device.deliver({
      tag: 'message',
      attrs: { from, id: 'POST1', type: 'text', t: '1790000000', server_id: '105', ...edit },
      content: [{ tag: 'plaintext', attrs: {}, content: proto.Message.encode(message).finish() }],
    });
  const edited = (text: string): proto.IMessage => ({
    editedMessage: {
      message: {
        protocolMessage: {
          type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
          key: { id: 'POST1', remoteJid: from, fromMe: false },
          editedMessage: { conversation: text },
        },
      },
    },
  });
  const countOf = async (text: string) =>
    (await session.events()).filter(({ payload }) => JSON.stringify(payload).includes(text)).length;

  deliver({ conversation: 'first words' });
  await session.event('messages.upsert', 'first words');
  deliver(edited('second words'), { edit: '3' });
  await session.event('messages.update', 'second words');
  const published = await countOf('second words');
  deliver(edited('second words'), { edit: '3' });
  deliver(edited('third words'), { edit: '3' });
  await session.event('messages.update', 'third words');
  expect(await countOf('first words')).toBe(1);
  expect(await countOf('second words')).toBe(published);
});

/** Returns the same stanza with every person named by the other id. */
function otherwiseAddressed({ attrs, ...stanza }: Stanza, hidesOther: boolean): Stanza {
  const { from, participant, sender_pn: pn, participant_pn: participantPn, ...others } = attrs;
  const renamed =
    participant === undefined
      ? { from: pn ?? '', ...(hidesOther ? {} : { sender_lid: from ?? '' }) }
      : {
          from: from ?? '',
          participant: participantPn ?? '',
          ...(hidesOther ? {} : { participant_lid: participant }),
        };
  return { ...stanza, attrs: { ...others, ...renamed, addressing_mode: 'pn' } };
}

test.each(['person', 'group'] as const)(
  'a message of a %s that comes by LID and again by number is published once, also by the next worker',
  async (kind) => {
    const { session, phone, device } = await linked();
    const writer = harness.simulator.addPhone({ name: 'Fay' });
    const to = kind === 'person' ? phone : writer.createGroup('friends', [phone]);
    await writer.send(to, { text: 'hello' });
    await session.event('messages.upsert', '"hello"');
    await acknowledged(device);
    const { id, stanza } = await sentInAbsence(session, device, () => writer.send(to, { text: 'once' }));
    const second = await takenOver(session, device);
    await waitFor(async () => (await toldOf(second, id)).length > 0, {
      what: 'the message',
      timeoutMs: TIMEOUT_MS,
    });
    for (const hidesOther of [false, true]) device.deliver(otherwiseAddressed(stanza, hidesOther));
    const { id: between } = await writer.send(to, { text: 'between' });
    await waitFor(async () => (await toldOf(second, between)).length > 0, {
      what: 'a later message',
      timeoutMs: TIMEOUT_MS,
    });
    expect(await toldOf(second, id)).toEqual(['once']);
    await acknowledged(device);
    second.session.discard();
    await waitFor(() => !device.isOnline, { what: 'the session closed', timeoutMs: TIMEOUT_MS });

    // The next session object does not know any people yet, and the stanza names the sender by the number alone.
    device.deliver(otherwiseAddressed(stanza, true));
    const third = await takenOver(second, device);
    const { id: last } = await writer.send(to, { text: 'last' });
    await waitFor(async () => (await toldOf(third, last)).length > 0, {
      what: 'the last message',
      timeoutMs: TIMEOUT_MS,
    });
    expect(await toldOf(third, id)).toEqual(['once']);
  },
);

test('a message that is encrypted again for its other address is published once', async () => {
  const { session, phone } = await linked();
  const writer = harness.simulator.addPhone({ name: 'Gus' });
  const { id } = await writer.send(phone, { text: 'once' }, { addressing: 'pn' });
  await session.event('messages.upsert', '"once"');
  await writer.send(phone, { text: 'once' }, { id, addressing: 'lid' });
  await writer.send(phone, { text: 'last' });
  await session.event('messages.upsert', '"last"');
  expect(await toldOf(session, id)).toEqual(['once']);
});
