import { WafleetError } from '@wafleet/contract';
import { isJidGroup, proto, type WASocket } from '@whiskeysockets/baileys';
import type { TargetKey } from '../known-messages/message-targets.js';
import { fromBaileys } from './baileys-errors.js';

type Patch = Parameters<WASocket['appPatch']>[0];

const { SET } = proto.SyncdMutation.SyncdOperation;
/** WhatsApp's code for a change that another device overtook. */
const CONFLICT = 409;
const ATTEMPTS = 3;

/**
 * How the account's settings name a message. Baileys leaves out the author in groups, without which phones do not find
 * messages of others.
 */
function indexOf(kind: string, { remoteJid, id, fromMe, participant }: TargetKey): string[] {
  const author = isJidGroup(remoteJid) && fromMe !== true ? participant : undefined;
  return [kind, remoteJid, id, fromMe === true ? '1' : '0', author ?? '0'];
}

/** Stars a message on the account's devices, or takes the star off. @throws {WafleetError} as `change` does. */
export function setStar(socket: WASocket, key: TargetKey, starred: boolean): Promise<void> {
  return change(socket, {
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
 * @throws {WafleetError} as `change` does.
 */
export function deleteForMe(socket: WASocket, key: TargetKey, sentAt: number | undefined): Promise<void> {
  const messageTimestamp = sentAt ?? Math.floor(Date.now() / 1_000);
  return change(socket, {
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

/**
 * Changes the account's settings. Tries again if another device changed them at the same time.
 * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not answer, or the phone has not yet shared the
 * keys of the settings.
 */
async function change(socket: WASocket, patch: Patch): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await socket.appPatch(patch);
      return;
    } catch (error) {
      if (attempt < ATTEMPTS && error instanceof Error && 'data' in error && error.data === CONFLICT)
        continue;
      throw fromBaileys(error, { otherwise: unavailable });
    }
  }
}

function unavailable(cause: unknown): WafleetError {
  const message = 'The settings of the account cannot be changed at the moment.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}
