import { randomBytes } from 'node:crypto';
import { PartitionedLru } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import type { GroupMetadata } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { bytesOfGroup, GroupCache } from './group-cache.js';

const metadata = (subject: string): GroupMetadata => ({
  id: '1@g.us',
  subject,
  owner: undefined,
  participants: [],
});

describe('what is known of groups', () => {
  const makeCache = () =>
    new GroupCache(
      new PartitionedLru<GroupMetadata>({ max: 1_000_000, sizeOf: bytesOfGroup }).createPartition(),
    );

  it('is asked for once by all who need it at the same time', async () => {
    const cache = makeCache();
    let asked = 0;
    const fetch = async () => metadata(`answer ${++asked}`);
    const answers = await Promise.all([cache.get('1@g.us', fetch), cache.get('1@g.us', fetch)]);
    expect(answers.map((answer) => answer?.subject)).toEqual(['answer 1', 'answer 1']);
    expect((await cache.get('1@g.us', fetch))?.subject).toBe('answer 1');
  });

  it('does not come of an answer that a change overtook', async () => {
    const cache = makeCache();
    let answer: (value: GroupMetadata) => void = () => {};
    const overtaken = cache.get(
      '1@g.us',
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    cache.invalidate({ 'groups.update': [{ id: '1@g.us', announce: true }] });
    const next = cache.get('1@g.us', async () => metadata('after the change'));
    answer(metadata('before the change'));
    await overtaken;
    expect((await next)?.subject).toBe('after the change');
    expect((await cache.get('1@g.us', () => Promise.reject(new Error('asked again'))))?.subject).toBe(
      'after the change',
    );
  });

  it('is of groups only', async () => {
    const ask = () => Promise.reject(new Error('asked'));
    expect(await makeCache().get('status@broadcast', ask)).toBeUndefined();
  });

  it('does not come of a failure', async () => {
    const cache = makeCache();
    await expect(cache.get('1@g.us', () => Promise.reject(new Error('no answer')))).rejects.toThrow(
      'no answer',
    );
    expect((await cache.get('1@g.us', async () => metadata('an answer')))?.subject).toBe('an answer');
  });
});

describe('sends to a group', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.start();
  });

  afterAll(() => harness.stop());

  const send = (test: TestSession, to: string, text: string) =>
    test.session.execute('send-text', {
      to,
      text,
      messageId: `3EB0${randomBytes(9).toString('hex').toUpperCase()}`,
    });

  async function team() {
    const people = ['Alice', 'Bob', 'Carl'].map((name) => harness.simulator.addPhone({ name }));
    const [alice, bob, carl] = people;
    if (!alice || !bob || !carl) throw new Error('three phones');
    const test = await harness.newSession();
    await test.link(alice);
    const group = bob.createGroup('Team', [alice]);
    await test.event('groups.upsert', group.jid);
    return { test, alice, bob, carl, group };
  }

  it('ask once for its members, and again when WhatsApp says that it changed', async () => {
    const { test, bob, carl, group } = await team();
    for (let count = 1; count <= 20; count += 1) await send(test, group.jid, `number ${count}`);
    await bob.waitForMessage(({ text }) => text === 'number 20', { timeoutMs: 60_000 });
    expect(group.queries).toBe(1);

    group.add(bob, [carl]);
    await test.event('group-participants.update', carl.lid);
    await send(test, group.jid, 'welcome');
    await carl.waitForMessage(({ text }) => text === 'welcome', { timeoutMs: 60_000 });
    expect(group.queries).toBe(2);

    group.remove(bob, [carl]);
    await test.event('group-participants.update', '"remove"');
    await send(test, group.jid, 'without you');
    await bob.waitForMessage(({ text }) => text === 'without you', { timeoutMs: 60_000 });
    expect(carl.received.some(({ text }) => text === 'without you')).toBe(false);
    expect(group.queries).toBe(3);
  });

  it('are refused once this account was removed, and taken when it is back', async () => {
    const { test, alice, bob, group } = await team();
    await send(test, group.jid, 'before');
    group.remove(bob, [alice]);
    await test.event('group-participants.update', '"remove"');
    await expect(send(test, group.jid, 'from outside')).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED' });
    group.add(bob, [alice]);
    // As a new member it receives the whole group again.
    const isToldAgain = async () => {
      const upserts = (await test.events()).filter(({ event }) => event === 'groups.upsert');
      return upserts.length === 2;
    };
    await waitFor(isToldAgain, { what: 'the group, again', timeoutMs: 60_000 });
    await send(test, group.jid, 'back again');
    await bob.waitForMessage(({ text }) => text === 'back again', { timeoutMs: 60_000 });
  });

  it('know when messages disappear, although Baileys emits no event of the group for it', async () => {
    const { test, bob, group } = await team();
    await send(test, group.jid, 'no expiration');
    group.configure(bob, { ephemeralSeconds: 86_400 });
    await test.event('chats.update', 'ephemeralExpiration');
    await send(test, group.jid, 'for a day');
    expect(group.queries).toBe(2);
  });
});
