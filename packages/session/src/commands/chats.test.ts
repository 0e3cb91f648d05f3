import { waitFor } from '@wafleet/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { linkedAccount } from '../testing/linked-account.js';
import { settingsShared } from '../testing/settings-shared.js';

const { harness, anna: alice, carl: bob, test } = await linkedAccount();
beforeAll(() => settingsShared(test, bob.number));

/** What the phone shows. */
const shown = (...index: string[]) => alice.settings.state.entry(...index);
const chat = () => ({ chat: bob.number });

describe('a chat', () => {
  it('is archived, which unpins it, and comes back', async () => {
    await test.session.execute('pin-chat', chat());
    expect(shown('pin_v1', bob.lid)?.pinAction?.pinned).toBe(true);
    await test.event('chats.update', bob.lid, '"pinned":1');

    await test.session.execute('archive-chat', { chat: `+${bob.number}` });
    expect(shown('archive', bob.lid)?.archiveChatAction?.archived).toBe(true);
    expect(shown('pin_v1', bob.lid)?.pinAction?.pinned).toBe(false);
    await test.event('chats.update', bob.lid, '"archived":true');

    await test.session.execute('unarchive-chat', { chat: bob.lid });
    expect(shown('archive', bob.lid)?.archiveChatAction?.archived).toBe(false);
    await test.event('chats.update', bob.lid, '"archived":false');
  });

  it('says of an archive up to which message it holds', async () => {
    const before = Math.floor(Date.now() / 1_000);
    await test.session.execute('archive-chat', chat());
    const { messageRange } = shown('archive', bob.lid)?.archiveChatAction ?? {};
    expect(Number(messageRange?.lastMessageTimestamp)).toBeGreaterThanOrEqual(before);
  });

  it('is unpinned', async () => {
    await test.session.execute('pin-chat', chat());
    await test.session.execute('unpin-chat', chat());
    expect(shown('pin_v1', bob.lid)?.pinAction?.pinned).toBe(false);
    await test.event('chats.update', bob.lid, '"pinned":null');
  });

  it('is mute for a time, without end, and no longer', async () => {
    const muted = () => shown('mute', bob.lid)?.muteAction;
    const before = Date.now();
    await test.session.execute('mute-chat', { ...chat(), seconds: 3_600 });
    expect(Number(muted()?.muteEndTimestamp)).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(Number(muted()?.muteEndTimestamp)).toBeLessThanOrEqual(Date.now() + 3_600_000);

    await test.session.execute('mute-chat', chat());
    expect(Number(muted()?.muteEndTimestamp)).toBe(-1);
    await test.event('chats.update', bob.lid, '"muteEndTime":-1');

    await test.session.execute('unmute-chat', chat());
    expect(muted()?.muted).toBe(false);
    await test.event('chats.update', bob.lid, '"muteEndTime":null');
  });

  it('is marked as unread and as read', async () => {
    const isRead = () => shown('markChatAsRead', bob.lid)?.markChatAsReadAction?.read;
    await test.session.execute('mark-chat-unread', chat());
    expect(isRead()).toBe(false);
    await test.event('chats.update', bob.lid, '"unreadCount":-1');
    await test.session.execute('mark-chat-read', chat());
    expect(isRead()).toBe(true);
    await test.event('chats.update', bob.lid, '"unreadCount":0');
  });

  it('is cleared and deleted', async () => {
    await test.session.execute('clear-chat', chat());
    expect(shown('clearChat', bob.lid, '1', '0')?.clearChatAction).toBeDefined();
    await test.session.execute('delete-chat', chat());
    expect(shown('deleteChat', bob.lid, '1')?.deleteChatAction).toBeDefined();
    await test.event('chats.update', bob.lid, '"deleted":true');
  });

  it('is changed though another device changes the settings at the same time', async () => {
    const { simulator } = harness;
    simulator.withholdAnswers('sync');
    const pinning = test.session.execute('pin-chat', chat());
    await waitFor(() => simulator.withheldCount > 0, { what: 'the answer withheld' });
    await alice.settings.starMessage({ chat: bob, id: 'M1', fromMe: false });
    simulator.resume();
    await pinning;
    expect(shown('pin_v1', bob.lid)?.pinAction?.pinned).toBe(true);
    await test.session.execute('unpin-chat', chat());
    expect(shown('pin_v1', bob.lid)?.pinAction?.pinned).toBe(false);
  });

  it('may be a group', async () => {
    const group = alice.createGroup('Team', [bob]);
    await test.session.execute('mute-chat', { chat: group.jid });
    expect(shown('mute', group.jid)?.muteAction?.muted).toBe(true);
  });

  it('with a number that WhatsApp does not know is refused', async () => {
    await expect(test.session.execute('archive-chat', { chat: '19998887777' })).rejects.toMatchObject({
      code: 'RECIPIENT_NOT_FOUND',
    });
  });
});

describe('disappearing messages', () => {
  it('are set in a chat with a person by a message', async () => {
    const messageId = '3EB0AA01';
    const set = { ...chat(), seconds: 604_800, messageId } as const;
    expect(await test.session.execute('set-disappearing', set)).toEqual({ messageId });
    const { message } = await bob.waitForMessage(({ id }) => id === messageId);
    const setting = message.ephemeralMessage?.message?.protocolMessage ?? message.protocolMessage;
    expect(setting?.ephemeralExpiration).toBe(604_800);
  });

  it('are a setting of a group', async () => {
    const group = alice.createGroup('Team', [bob]);
    const set = { chat: group.jid, seconds: 86_400, messageId: '3EB0AA02' } as const;
    expect(await test.session.execute('set-disappearing', set)).toEqual({});
    expect(group.settings.ephemeralSeconds).toBe(86_400);
    await test.session.execute('set-disappearing', { ...set, seconds: 0 });
    expect(group.settings.ephemeralSeconds).toBe(0);
  });

  it('of a group are refused where the account may not set them', async () => {
    const group = bob.createGroup('Closed', [alice]);
    group.configure(bob, { restrict: true });
    await expect(
      test.session.execute('set-disappearing', { chat: group.jid, seconds: 86_400, messageId: '3EB0AA03' }),
    ).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 403 } });
  });
});

describe('a label', () => {
  const label = '7';

  it('is created, changed and deleted', async () => {
    const edited = () => shown('label_edit', label)?.labelEditAction;
    await test.session.execute('save-label', { label, name: 'Paid', color: 3 });
    expect(edited()).toMatchObject({ name: 'Paid', color: 3, deleted: false });
    await test.event('creds.update', '"labels"', '"name":"Paid"');
    await test.session.execute('save-label', { label, name: 'Paid in full', color: 4 });
    expect(edited()).toMatchObject({ name: 'Paid in full', color: 4 });
    await test.session.execute('delete-label', { label });
    expect(edited()?.deleted).toBe(true);
  });

  it('is put on a chat and taken off', async () => {
    const isLabeled = () => shown('label_jid', label, bob.jid)?.labelAssociationAction?.labeled;
    await test.session.execute('label-chat', { ...chat(), label });
    expect(isLabeled()).toBe(true);
    await test.event('chats.update', bob.jid, '"added":["7"]');
    await test.session.execute('unlabel-chat', { chat: bob.lid, label });
    expect(isLabeled()).toBe(false);
    await test.event('chats.update', bob.jid, '"removed":["7"]');
  });

  it('is put on a message and taken off', async () => {
    const message = '3EB0AA04';
    const isLabeled = () =>
      shown('label_message', label, bob.jid, message, '0', '0')?.labelAssociationAction?.labeled;
    await test.session.execute('label-message', { ...chat(), message, label });
    expect(isLabeled()).toBe(true);
    await test.event('messages.update', message, '"added":["7"]');
    await test.session.execute('unlabel-message', { ...chat(), message, label });
    expect(isLabeled()).toBe(false);
  });
});
