import type { ListedChat } from '@wafleet/contract';
import type { Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { settingsShared } from '../testing/settings-shared.js';

let harness: Harness;
let count = 0;

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

function phone(name: string): Phone {
  count += 1;
  return harness.simulator.addPhone({ name, number: `4915100000${100 + count}` });
}

async function linked(settings: object = { lists: true }, prepare: (alice: Phone) => void = () => {}) {
  const alice = phone('Alice');
  prepare(alice);
  const test = await harness.newSession();
  await harness.storeSettings(test.fence, settings);
  await test.link(alice);
  return { alice, test };
}

const chatsOf = async ({ session }: TestSession, query: object = {}) =>
  session.execute('list-chats', { limit: 50, ...query });
const contactsOf = async ({ session }: TestSession, query: object = {}) =>
  session.execute('list-contacts', { limit: 50, ...query });

/** The chat, once it is as wanted. */
function chat(test: TestSession, name: string, wanted: (chat: ListedChat) => boolean = () => true) {
  return waitFor(
    async () => {
      const found = (await chatsOf(test)).items.find(
        ({ phone: number, id }) => number === name || id === name,
      );
      return found !== undefined && wanted(found) ? found : undefined;
    },
    { what: `the chat ${name}` },
  );
}

describe('the list of chats', () => {
  it('has the chats of the history with their names and last messages', async () => {
    const bob = phone('Bob');
    const { alice, test } = await linked({ lists: true }, (owner) => {
      owner.history.remember(bob, {
        id: 'H1',
        sender: bob,
        message: { conversation: 'old' },
        timestamp: 1_700_000_000,
      });
      owner.history.remember(bob, { id: 'H2', message: { conversation: 'older' }, timestamp: 1_600_000_000 });
    });
    expect(alice.history).toBeDefined();
    const found = await chat(test, bob.number, ({ lastMessageId }) => lastMessageId !== null);
    expect(found).toMatchObject({ id: bob.lid, lid: bob.lid, phone: bob.number, name: 'Bob' });
    expect(found).toMatchObject({ lastMessageId: 'H1', lastMessageAt: '2023-11-14T22:13:20.000Z' });
  });

  it('has them although the history is not published', async () => {
    const bob = phone('Bob');
    const { test } = await linked({ lists: true, history: 'none' }, (owner) => {
      owner.history.remember(bob, { id: 'H1', sender: bob, message: { conversation: 'old' } });
    });
    await chat(test, bob.number, ({ lastMessageId }) => lastMessageId === 'H1');
    expect((await test.events()).filter(({ event }) => event === 'messages.upsert')).toEqual([]);
  });

  it('has a chat from its first message on, counts what is unread, and orders by the last message', async () => {
    const { alice, test } = await linked();
    const [bob, carl] = [phone('Bob'), phone('Carl')];
    const group = bob.createGroup('Team', [alice]);
    const { id } = await bob.send(alice, { conversation: 'one' });
    await chat(test, bob.number, ({ lastMessageId }) => lastMessageId === id);
    const second = await bob.send(alice, { conversation: 'two' });
    const found = await chat(test, bob.number, ({ unreadCount }) => unreadCount === 2);
    expect(found).toMatchObject({ id: bob.lid, name: 'Bob', lastMessageId: second.id });
    await bob.send(group, { conversation: 'three' });
    await chat(test, group.jid, ({ unreadCount }) => unreadCount === 1);
    const last = await carl.send(alice, { conversation: 'four' });
    await chat(test, carl.number, ({ lastMessageId }) => lastMessageId === last.id);
    const { items } = await chatsOf(test);
    expect(items.map(({ name }) => name)).toEqual(['Carl', 'Team', 'Bob']);
    expect(items[1]).toMatchObject({ id: group.jid, phone: null, lid: null });
    const pages = [await chatsOf(test, { limit: 2 })];
    pages.push(await chatsOf(test, { limit: 2, cursor: pages[0]?.nextCursor }));
    expect(pages.map((page) => page.items.map(({ name }) => name))).toEqual([['Carl', 'Team'], ['Bob']]);
    expect(pages[1]?.nextCursor).toBeUndefined();
  });

  it('does not take a reaction, an edit or a deletion for the last message', async () => {
    const { alice, test } = await linked();
    const bob = phone('Bob');
    const sent = await bob.send(alice, { conversation: 'one' });
    await bob.react(sent, '👍');
    await bob.edit(sent, { conversation: 'ONE' });
    await bob.send(alice, { protocolMessage: { type: 0, key: { id: 'other' } } });
    await test.event('messages.delete', 'other');
    expect(await chat(test, bob.number)).toMatchObject({ lastMessageId: sent.id, unreadCount: 1 });
  });

  it('follows what the account does on its devices: read, archive, pin, mute, delete', async () => {
    const { alice, test } = await linked();
    const bob = phone('Bob');
    await settingsShared(test, bob.number);
    const sent = await bob.send(alice, { conversation: 'one' });
    await chat(test, bob.number, ({ unreadCount }) => unreadCount === 1);
    await test.session.execute('mark-as-read', { chat: bob.number, messages: [{ messageId: sent.id }] });
    await chat(test, bob.number, ({ unreadCount }) => unreadCount === 0);
    await test.session.execute('mark-chat-unread', { chat: bob.number });
    await chat(test, bob.number, ({ markedAsUnread }) => markedAsUnread);
    expect((await chatsOf(test, { unread: 'true' })).items).toHaveLength(1);
    await test.session.execute('mark-chat-read', { chat: bob.number });
    await chat(test, bob.number, ({ markedAsUnread }) => !markedAsUnread);
    expect((await chatsOf(test, { unread: 'true' })).items).toEqual([]);
    await alice.settings.archiveChat(bob);
    await chat(test, bob.number, ({ archived }) => archived);
    expect((await chatsOf(test, { archived: 'false' })).items).toEqual([]);
    expect((await chatsOf(test, { archived: 'true' })).items).toHaveLength(1);
    await alice.settings.pinChat(bob);
    await chat(test, bob.number, ({ pinned }) => pinned);
    await alice.settings.muteChat(bob, -1);
    expect(await chat(test, bob.number, ({ muted }) => muted)).toMatchObject({ mutedUntil: null });
    await test.session.execute('mute-chat', { chat: bob.number, seconds: 3_600 });
    await chat(test, bob.number, ({ mutedUntil }) => mutedUntil !== null);
    await alice.settings.labelChat(bob, '7');
    await chat(test, bob.number, ({ labels }) => labels.includes('7'));
    await alice.settings.deleteChat(bob);
    await waitFor(async () => (await chatsOf(test)).items.length === 0, { what: 'no chat' });
  });

  it('shows what was read on the phone', async () => {
    const { alice, test } = await linked();
    const bob = phone('Bob');
    const sent = await bob.send(alice, { conversation: 'one' });
    await chat(test, bob.number, ({ unreadCount }) => unreadCount === 1);
    alice.markRead(await alice.waitForMessage(({ id }) => id === sent.id));
    await chat(test, bob.number, ({ unreadCount }) => unreadCount === 0);
    const group = bob.createGroup('Team', [alice]);
    const inGroup = await bob.send(group, { conversation: 'two' });
    await chat(test, group.jid, ({ unreadCount }) => unreadCount === 1);
    alice.markRead(await alice.waitForMessage(({ id }) => id === inGroup.id));
    await chat(test, group.jid, ({ unreadCount }) => unreadCount === 0);
  });

  it('names one chat by number, LID and id', async () => {
    const { alice, test } = await linked();
    const bob = phone('Bob');
    await bob.send(alice, { conversation: 'one' });
    const { lid } = await chat(test, bob.number);
    for (const name of [bob.number, `+${bob.number}`, bob.jid, bob.lid]) {
      expect(await test.session.execute('get-chat', { chat: name })).toMatchObject({ lid });
    }
    await expect(test.session.execute('get-chat', { chat: '15550009999' })).rejects.toMatchObject({
      code: 'CHAT_NOT_LISTED',
    });
  });
});

describe('the list of contacts', () => {
  it('has who is saved first, then who wrote, and finds them by name and number', async () => {
    const { alice, test } = await linked();
    const [bob, carl] = [phone('Bob'), phone('Carl')];
    await settingsShared(test, bob.number);
    await bob.send(alice, { conversation: 'one' });
    await alice.settings.saveContact(carl, 'Carl Smith');
    const { items } = await waitFor(
      async () => {
        const page = await contactsOf(test);
        return page.items.length >= 2 ? page : undefined;
      },
      { what: 'two contacts' },
    );
    expect(items[0]).toMatchObject({ id: carl.lid, phone: carl.number, lid: carl.lid, name: 'Carl Smith' });
    expect(items[1]).toMatchObject({ id: bob.lid, phone: bob.number, name: null, pushName: 'Bob' });
    const found = async (query: string) => (await contactsOf(test, { query })).items.map(({ id }) => id);
    expect(await found('smith')).toEqual([carl.lid]);
    expect(await found(`+${bob.number}`)).toEqual([bob.lid]);
    expect(await found('unknown')).toEqual([]);
    expect((await contactsOf(test, { saved: 'true' })).items.map(({ id }) => id)).toEqual([carl.lid]);
    await alice.settings.removeContact(carl);
    await waitFor(async () => (await contactsOf(test, { saved: 'true' })).items.length === 0, {
      what: 'no saved contact',
    });
  });
});

describe('the setting', () => {
  it('is needed, and deletes the lists when it is switched off', async () => {
    const { alice, test } = await linked({});
    await expect(chatsOf(test)).rejects.toMatchObject({ code: 'LISTS_OFF' });
    await expect(contactsOf(test)).rejects.toMatchObject({ code: 'LISTS_OFF' });
    const bob = phone('Bob');
    const set = async (lists: boolean) => {
      await harness.storeSettings(test.fence, { lists });
      await test.session.execute('settings-changed', {});
    };
    await set(true);
    await bob.send(alice, { conversation: 'one' });
    await chat(test, bob.number);
    await set(false);
    await expect(chatsOf(test)).rejects.toMatchObject({ code: 'LISTS_OFF' });
    await waitFor(async () => !(await harness.hasLists(test.fence)), { what: 'no lists' });
    await set(true);
    expect((await chatsOf(test)).items).toEqual([]);
  });
});

it('lists that were off for a moment, which the worker did not see, are filled again', async () => {
  const { alice, test } = await linked();
  const bob = phone('Bob');
  const group = bob.createGroup('Team', [alice]);
  await settingsShared(test, bob.number);
  await bob.send(group, { conversation: 'one' });
  await chat(test, group.jid, ({ name }) => name === 'Team');
  await waitFor(() => harness.wereListsFilled(test.fence), { what: 'the lists to be filled' });
  await harness.storeSettings(test.fence, { lists: false });
  await harness.deleteLists(test.fence);
  await harness.storeSettings(test.fence, { lists: true });
  await test.session.execute('settings-changed', {});
  await waitFor(() => harness.wereListsFilled(test.fence), { what: 'the lists to be filled again' });
  await chat(test, group.jid, ({ name }) => name === 'Team');
});

it('lists that are switched on later are filled from what the devices share and from the groups', async () => {
  const [bob, carl, dora] = [phone('Bob'), phone('Carl'), phone('Dora')];
  const { alice, test } = await linked({});
  await settingsShared(test, bob.number);
  await alice.settings.saveContact(bob, 'Bob Brown');
  await alice.settings.archiveChat(bob);
  await alice.settings.pinChat(carl);
  await alice.settings.deleteChat(carl);
  await alice.settings.archiveChat(dora, false);
  const group = bob.createGroup('Team', [alice]);
  await test.event('contacts.upsert', 'Bob Brown');
  await test.event('chats.update', bob.lid, '"archived":true');
  await test.event('chats.update', dora.lid, '"archived":false');
  await test.event('groups.upsert', group.jid);
  const naming = async () =>
    (await test.events()).filter(({ payload }) => JSON.stringify(payload).includes('Bob Brown'));
  const published = await naming();
  await harness.storeSettings(test.fence, { lists: true });
  await test.session.execute('settings-changed', {});
  await chat(test, group.jid, ({ name }) => name === 'Team');
  expect(await chat(test, bob.number)).toMatchObject({ id: bob.lid, name: 'Bob Brown', archived: true });
  expect((await contactsOf(test, { saved: 'true' })).items).toMatchObject([
    { id: bob.lid, name: 'Bob Brown' },
  ]);
  // Nothing happened in this chat that is worth a place.
  expect((await chatsOf(test)).items.map(({ id }) => id)).not.toContain(dora.lid);
  expect(await naming()).toHaveLength(published.length);
});

it('a takeover goes on with the list, and counts what is unread once', async () => {
  const { alice, test } = await linked();
  const bob = phone('Bob');
  await bob.send(alice, { conversation: 'one' });
  await chat(test, bob.number, ({ unreadCount }) => unreadCount === 1);
  test.session.discard();
  const next = await harness.takeOver(test.fence, test.fence.worker);
  await next.session.start();
  await next.status('open');
  const { id } = await bob.send(alice, { conversation: 'two' });
  const found = await chat(next, bob.number, ({ lastMessageId }) => lastMessageId === id);
  expect(found.unreadCount).toBe(2);
});

it('the lists go with a logout', async () => {
  const { alice, test } = await linked();
  const bob = phone('Bob');
  await bob.send(alice, { conversation: 'one' });
  await chat(test, bob.number);
  expect(await harness.hasLists(test.fence)).toBe(true);
  alice.unlink();
  await test.status('logged_out');
  expect(await harness.hasLists(test.fence)).toBe(false);
});
