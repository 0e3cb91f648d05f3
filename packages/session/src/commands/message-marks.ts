import { isJidGroup, proto, type WASocket } from '@whiskeysockets/baileys';
import type { TargetKey } from '../known-messages/message-targets.js';
import { changeSettings } from './account-settings.js';

const { SET } = proto.SyncdMutation.SyncdOperation;

/**
 * How the account's settings name a message. Baileys leaves out the author in groups, without which phones do not find
 * messages of others.
 */
function indexOf(kind: string, { remoteJid, id, fromMe, participant }: TargetKey): string[] {
  const author = isJidGroup(remoteJid) && fromMe !== true ? participant : undefined;
  return [kind, remoteJid, id, fromMe === true ? '1' : '0', author ?? '0'];
}

/** Stars a message on the account's devices, or takes the star off. @throws {WafleetError} as `changeSettings` does. */
export function setStar(socket: WASocket, key: TargetKey, starred: boolean): Promise<void> {
  return changeSettings(socket, {
    syncAction: { timestamp: Date.now(), starAction: { starred } },
    index: indexOf('star', key),
    type: 'regular_low',
    apiVersion: 2,
    operation: SET,
  });
}

/**
 * Deletes a message on the account's devices.
 * @param sentAt when it was sent, seconds since 1970; undefined if not known.
 * @throws {WafleetError} as `changeSettings` does.
 */
export function deleteForMe(socket: WASocket, key: TargetKey, sentAt: number | undefined): Promise<void> {
  const messageTimestamp = sentAt ?? Math.floor(Date.now() / 1_000);
  return changeSettings(socket, {
    syncAction: {
      timestamp: Date.now(),
      deleteMessageForMeAction: { deleteMedia: false, messageTimestamp },
    },
    index: indexOf('deleteMessageForMe', key),
    type: 'regular_high',
    apiVersion: 3,
    operation: SET,
  });
}
