import type { CommandFields, CommandReply, PrivacySetting } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import { get } from '../baileys/untyped.js';
import { change, read } from './whatsapp-requests.js';

type Privacy = CommandReply<'get-privacy'>;
type Change = CommandFields<'set-privacy'>;

/** WhatsApp's names of the settings. */
const CATEGORIES = {
  lastSeen: 'last',
  online: 'online',
  picture: 'profile',
  about: 'status',
  readReceipts: 'readreceipts',
  groupsAdd: 'groupadd',
  calls: 'calladd',
  messages: 'messages',
} as const satisfies Record<Exclude<PrivacySetting, 'defaultDisappearing'>, string>;

/** All privacy settings, as WhatsApp has them now. @throws {WafleetError} as `read` does. */
export async function readPrivacy(socket: WASocket, ownId: string): Promise<Privacy> {
  const [settings, durations] = await Promise.all([
    read(socket.fetchPrivacySettings(true)),
    read(socket.fetchDisappearingDuration(ownId)),
  ]);
  const shown = Object.entries(CATEGORIES).flatMap(([setting, category]) => {
    const value = settings[category];
    return value === undefined ? [] : [[setting, value] as const];
  });
  const duration = get(durations?.[0]?.disappearing_mode, 'duration');
  return {
    ...Object.fromEntries(shown),
    ...(typeof duration === 'number' ? { defaultDisappearing: duration } : {}),
  };
}

/** Changes the settings that are given. @throws {WafleetError} as `change` does. */
export async function setPrivacy(socket: WASocket, wanted: Change): Promise<void> {
  const { lastSeen, online, picture, about, readReceipts, groupsAdd, calls, messages } = wanted;
  if (lastSeen !== undefined) await change(socket.updateLastSeenPrivacy(lastSeen));
  if (online !== undefined) await change(socket.updateOnlinePrivacy(online));
  if (picture !== undefined) await change(socket.updateProfilePicturePrivacy(picture));
  if (about !== undefined) await change(socket.updateStatusPrivacy(about));
  if (groupsAdd !== undefined) await change(socket.updateGroupsAddPrivacy(groupsAdd));
  if (calls !== undefined) await change(socket.updateCallPrivacy(calls));
  if (messages !== undefined) await change(socket.updateMessagesPrivacy(messages));
  const { defaultDisappearing } = wanted;
  if (defaultDisappearing !== undefined) {
    await change(socket.updateDefaultDisappearingMode(defaultDisappearing));
  }
  if (readReceipts === undefined) return;
  await change(socket.updateReadReceiptsPrivacy(readReceipts));
  // Baileys remembers the settings, and sends receipts by what it remembers.
  await read(socket.fetchPrivacySettings(true));
}
