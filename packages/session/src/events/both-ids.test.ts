import { randomBytes } from 'node:crypto';
import type { Phone } from '@wafleet/simulator';
import { generateMessageIDV2 } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

async function linked(name: string) {
  const phone = harness.simulator.addPhone({ name });
  const test = await harness.newSession();
  await test.link(phone);
  return { phone, test };
}

/** Sends to the person's number, as a client does; resolves with what reached the phone. */
async function sendTo(test: TestSession, person: Phone, text: string) {
  const messageId = generateMessageIDV2();
  await test.session.execute('send-text', { to: person.number, text, messageId });
  return person.waitForMessage(({ id }) => id === messageId);
}

describe('a message that was sent by number', () => {
  it('has both ids of its recipient in every key, and the pair is published once', async () => {
    const { phone, test } = await linked('Anna');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const sent = await sendTo(test, carl, 'hello');
    const byNumber = { remoteJid: carl.jid, remoteJidAlt: carl.lid, id: sent.id, fromMe: true };
    const echo = await test.event('messages.upsert', sent.id);
    expect(echo.payload).toMatchObject({ messages: [{ key: byNumber }] });

    const byLid = { remoteJid: carl.lid, remoteJidAlt: carl.jid, id: sent.id, fromMe: true };
    await carl.react({ ...sent, chat: phone }, '👍', { addressing: 'lid' });
    const reaction = await test.event('messages.reaction', sent.id);
    expect(reaction.payload).toMatchObject({
      reactions: [
        { key: byLid, reaction: { key: { remoteJid: carl.lid, remoteJidAlt: carl.jid, fromMe: false } } },
      ],
    });
    const carrier = await test.event('messages.upsert', '"reactionMessage"');
    expect(carrier.payload).toMatchObject({ messages: [{ message: { reactionMessage: { key: byLid } } }] });

    carl.inbox.markRead([{ ...sent, addressing: 'lid' }], 'read');
    const read = await test.event('messages.update', '"status":4');
    expect(read.payload).toMatchObject({ updates: [{ key: byLid }] });

    const pair = { id: carl.lid, lid: carl.lid, phoneNumber: carl.jid };
    const reported = (await test.events())
      .filter(({ event }) => event === 'contacts.update')
      .flatMap(({ payload }) => payload.contacts)
      .filter((contact) => JSON.stringify(contact) === JSON.stringify(pair));
    expect(reported).toEqual([pair]);
  });

  it('has both ids in the keys of receipts after another worker took the session over', async () => {
    const { test } = await linked('Berta');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const sent = await sendTo(test, carl, 'before the move');
    await test.session.stop({ reason: 'drain' });
    const next = await harness.takeOver(test.fence, test.fence.worker);
    await next.session.start();
    await next.status('open');
    carl.inbox.markRead([{ ...sent, addressing: 'lid' }], 'read');
    const read = await next.event('messages.update', '"status":4');
    // The receipt of the delivery may come in the same event.
    const key = { remoteJid: carl.lid, remoteJidAlt: carl.jid, id: sent.id };
    const update = { key: expect.objectContaining(key), update: expect.objectContaining({ status: 4 }) };
    expect(read.payload.updates).toContainEqual(expect.objectContaining(update));
  });

  it('names no other id for a person whose number is not known', async () => {
    const { phone, test } = await linked('Cora');
    const key = { remoteJid: `${randomBytes(6).readUIntBE(0, 6)}@lid`, fromMe: true, id: 'UNKNOWN' };
    for (const device of phone.devices.values()) {
      const attrs = { from: key.remoteJid, id: key.id, t: '1700000000', type: 'read' };
      device.deliver({ tag: 'receipt', attrs });
    }
    const read = await test.event('messages.update', key.id);
    expect(read.payload).toMatchObject({ updates: [{ key }] });
    expect(JSON.stringify(read.payload)).not.toContain('remoteJidAlt');
  });
});

describe('a group', () => {
  it('has both ids of its members in receipts, and of who changed it', async () => {
    const { phone, test } = await linked('Dora');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const group = carl.createGroup('Team', [phone]);
    await test.event('groups.upsert', group.jid);
    const messageId = generateMessageIDV2();
    await test.session.execute('send-text', { to: group.jid, text: 'hello all', messageId });
    const sent = await carl.waitForMessage(({ id }) => id === messageId);
    carl.markRead(sent);
    const read = await test.event('messages.update', messageId, '"readTimestamp"');
    expect(read.payload).toMatchObject({
      updates: [
        {
          key: { remoteJid: group.jid, participant: carl.lid, participantAlt: carl.jid },
          update: { userReceipt: [{ userJid: carl.lid, userJidAlt: carl.jid }] },
        },
      ],
    });
    group.promote(carl, [phone]);
    const promoted = await test.event('group-participants.update', '"promote"');
    expect(promoted.payload).toMatchObject({ author: carl.lid, authorPn: carl.jid });
    group.setSubject(carl, 'Team 2');
    const notice = await test.event('messages.upsert', '"Team 2"');
    expect(notice.payload).toMatchObject({
      messages: [{ key: { participant: carl.lid, participantAlt: carl.jid, addressingMode: 'lid' } }],
    });
  });
});
