import { ALL_WA_PATCH_NAMES, type WASocket } from '@whiskeysockets/baileys';

/**
 * Synchronises contacts, chats and settings if an earlier login did not. Baileys does it with the history of the first
 * login, and never catches up if that login was cut off. Rejects if WhatsApp or the stored keys do not answer; the next
 * login tries again.
 */
export async function catchUpAppState(socket: WASocket): Promise<void> {
  const versions = await socket.authState.keys.get('app-state-sync-version', [...ALL_WA_PATCH_NAMES]);
  if (Object.values(versions).some((version) => version != null)) return;
  await socket.resyncAppState(ALL_WA_PATCH_NAMES, true);
}
