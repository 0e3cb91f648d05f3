import type { AuthStateStore } from '@wafleet/store';
import { isLidUser, isPnUser, jidDecode } from '@whiskeysockets/baileys';
import { isUser } from './person-id.js';

/**
 * The LID of a phone number, or the phone number of a LID, as Baileys has stored it (Signal/lid-mapping.js). Baileys'
 * own look-up would ask WhatsApp for a LID that is not stored. Returns undefined if the pair is not known, or if `jid`
 * is neither.
 */
export async function otherNameOf(
  store: Pick<AuthStateStore, 'readRecords'>,
  jid: string,
): Promise<string | undefined> {
  const user = jidDecode(jid)?.user;
  if (user === undefined) return undefined;
  const isLid = isLidUser(jid) === true;
  if (!isLid && !isPnUser(jid)) return undefined;
  const [stored] = await store.readRecords('lid-mapping', [isLid ? `${user}_reverse` : user]);
  if (!isUser(stored)) return undefined;
  return isLid ? `${stored}@s.whatsapp.net` : `${stored}@lid`;
}
