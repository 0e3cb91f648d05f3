import { expect, test } from 'vitest';
import { Client } from '../testing/client.js';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { until } from '../testing/until.js';

const { simulator, client, alice, carl, dora } = useLinkedClient();
const { settings } = alice;

const triggers: Readonly<Record<string, () => unknown>> = {
  'delete for me (app state)': () => settings.deleteMessageForMe({ chat: carl, id: 'OWN1', fromMe: true }),
  'clear chat (app state)': () => settings.clearChat(carl),
  'delete chat (app state)': () => settings.deleteChat(carl),
  archive: () => settings.archiveChat(carl),
  mute: () => settings.muteChat(carl, Date.now() + 3_600_000),
  unmute: () => settings.muteChat(carl, null),
  pin: () => settings.pinChat(carl),
  'mark read': () => settings.markChatRead(carl),
  'mark unread': () => settings.markChatRead(carl, false),
  star: () => settings.starMessage({ chat: carl, id: 'M1', fromMe: false }),
  'lock chat': () => settings.lockChat(carl),
  'contact saved on phone (PN index)': () => settings.saveContact(carl, 'Carl C'),
  'lid contact saved': () => settings.saveLidContact(dora, 'Dora D'),
  'label edit': () => settings.editLabel('7', { name: 'VIP', color: 3 }),
  'label chat': () => settings.labelChat(carl, '7'),
  'push name setting': () => settings.setPushName('Alice New'),
  'unarchive setting': () => settings.setUnarchiveChats(true),
  'locale setting': () => settings.setLocale('en_US'),
  'client chatModify -> server': () => client.sock.chatModify({ archive: false, lastMessages: [] }, carl.lid),
  'client updateProfileName': () => client.sock.updateProfileName('Alice Z'),
};

test.each(Object.entries(triggers))('%s', async (trigger, act) => {
  await expectTrigger(trigger, client, act);
});

test("the phone sees its companion's changes", () => {
  expect(settings.state.entry('archive', carl.lid)?.archiveChatAction?.archived).toBe(false);
  expect(alice.name).toBe('Alice Z');
});

test('a second companion reads the whole state, then each change of the first', async () => {
  const second = await Client.linked(simulator, alice);
  expect(second.events).toContainEqual({
    event: 'labels.edit',
    data: { id: '7', name: 'VIP', color: 3, deleted: false },
  });
  await client.sock.chatModify({ mute: -1 }, dora.lid);
  await until('the change of the first companion', () =>
    second.events.some(
      ({ event, data }) => event === 'chats.update' && JSON.stringify(data).includes(dora.lid),
    ),
  );
  await second.end();
});
