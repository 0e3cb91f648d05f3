import { describe, expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';

const { anna, carl, test } = await linkedAccount();

/** What was published of one list field since a point of the log. */
async function itemsAfter(count: number, event: string, field: string): Promise<Record<string, unknown>[]> {
  return (await test.events())
    .slice(count)
    .filter((each) => each.event === event)
    .flatMap(({ payload }) => payload[field] as Record<string, unknown>[]);
}

const settled = async (marker: string) => {
  await anna.settings.setLocale(marker);
  await test.event('creds.update', marker);
};

describe('what is removed on the phone', () => {
  it('a contact is a contact without a name, not a new contact', async () => {
    for (const [index, save] of [
      () => anna.settings.saveContact(carl, 'Carl C'),
      () => anna.settings.saveLidContact(carl, 'Carl L'),
    ].entries()) {
      await save();
      await test.event('contacts.upsert', index === 0 ? 'Carl C' : 'Carl L');
      const before = (await test.events()).length;
      if (index === 0) await anna.settings.removeContact(carl);
      else await anna.settings.removeLidContact(carl);
      const id = index === 0 ? carl.jid : carl.lid;
      const { payload } = await test.event('contacts.update', '"name":null', `"id":"${id}"`);
      expect(payload).toMatchObject({ contacts: [{ id, name: null }] });
      expect(await itemsAfter(before, 'contacts.upsert', 'contacts')).toEqual([]);
    }
  });

  it.each([false, true])(
    'gives an event of its own though the removal repeats what was set: %s',
    async (keepsValue) => {
      const sent = await carl.send(anna, `starred, ${keepsValue}`);
      const message = { chat: carl, id: sent.id, fromMe: false };
      await test.event('messages.upsert', sent.id);
      const { settings } = anna;
      await settings.saveContact(carl, 'Carl C');
      await settings.archiveChat(carl);
      await settings.muteChat(carl, 1_900_000_000_000);
      await settings.pinChat(carl);
      await settings.lockChat(carl);
      await settings.starMessage(message);
      await settings.editLabel('7', { name: 'VIP', color: 3 });
      await settings.labelChat(carl, '7');
      await settled(`set_${keepsValue}`);
      const before = (await test.events()).length;
      for (const [...index] of [
        ['contact', carl.jid],
        ['archive', carl.lid],
        ['mute', carl.lid],
        ['pin_v1', carl.lid],
        ['lock', carl.lid],
        ['star', carl.lid, sent.id, '0', '0'],
        ['label_jid', '7', carl.jid],
        ['label_edit', '7'],
      ]) {
        await settings.remove(index, { keepsValue });
      }
      await settled(`removed_${keepsValue}`);
      const chats = await itemsAfter(before, 'chats.update', 'chats');
      const all = Object.assign({}, ...chats.filter(({ labels }) => labels === undefined));
      expect(all).toMatchObject({ archived: false, muteEndTime: null, pinned: null, locked: false });
      expect(chats.find(({ labels }) => labels !== undefined)?.labels).toEqual({ removed: ['7'] });
      const updates = await itemsAfter(before, 'messages.update', 'updates');
      expect(updates).toEqual([
        { key: expect.objectContaining({ id: sent.id }), update: { starred: false } },
      ]);
      expect(await itemsAfter(before, 'contacts.update', 'contacts')).toContainEqual(
        expect.objectContaining({ id: carl.jid, name: null }),
      );
      const labels = (await test.events()).slice(before).flatMap(({ payload }) => payload.labels ?? []);
      expect(labels).toEqual([expect.objectContaining({ id: '7', deleted: true })]);
    },
  );

  it.each([false, true])(
    'an entry about a deletion deletes nothing a second time: %s',
    async (keepsValue) => {
      const { settings } = anna;
      const sent = await carl.send(anna, `deleted, ${keepsValue}`);
      await test.event('messages.upsert', sent.id);
      await settings.deleteMessageForMe({ chat: carl, id: sent.id, fromMe: false });
      await test.event('messages.delete', sent.id);
      await settings.deleteChat(carl);
      await settings.markChatRead(carl, false);
      await settled(`deleted_${keepsValue}`);
      const before = (await test.events()).length;
      await settings.remove(['deleteMessageForMe', carl.lid, sent.id, '0', '0'], { keepsValue });
      await settings.remove(['deleteChat', carl.lid, '1'], { keepsValue });
      await settings.remove(['markChatAsRead', carl.lid], { keepsValue });
      await settled(`cleaned_${keepsValue}`);
      const later = (await test.events()).slice(before).map(({ event }) => event);
      expect(later).not.toContain('messages.delete');
      expect(later).not.toContain('chats.update');
    },
  );

  it('a description of a group and the tag of a member are null', async () => {
    const group = carl.createGroup('Team', [anna]);
    await test.event('groups.upsert', group.jid);
    group.setDescription(carl, 'what we do');
    await test.event('groups.update', 'what we do');
    group.setDescription(carl, '');
    const described = await test.event('groups.update', '"desc":null');
    expect(described.payload).toMatchObject({ groups: [{ id: group.jid, desc: null, author: carl.lid }] });
    await group.tagMember(carl, 'Boss');
    await test.event('group-participants.update', '"Boss"');
    await group.tagMember(carl, '');
    const untagged = await test.event('group-participants.update', '"tag":null');
    expect(untagged.payload).toMatchObject({
      id: group.jid,
      action: 'modify',
      participants: [{ id: carl.lid, phoneNumber: carl.jid, tag: null }],
    });
  });
});
