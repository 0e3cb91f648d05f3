import { WafleetError } from '@wafleet/contract';
import { jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import { personId, toLid, toNumberId } from '../../identity/person-id.js';
import type { ContactFinder } from '../contact-finder.js';

/**
 * All known ids of the person whose chat this is, without devices: the LID first. Empty for a chat that is not that of
 * another person: a group, a channel, the statuses, the account itself. One person counts once, by whichever id a
 * message names the chat: WhatsApp is asked for the LID of a number if the session does not know it. If it does not
 * answer, the number stands alone.
 * @throws {FencedError}, or an error of the connection to Redis.
 */
export async function personOfChat(
  contacts: ContactFinder,
  socket: WASocket,
  jid: string,
): Promise<readonly string[]> {
  const id = personId(jid);
  if (id === undefined) return [];
  const named = id.kind === 'lid' ? toLid(id.user) : toNumberId(id.user);
  if ([socket.user?.id, socket.user?.lid].some((mine) => jidNormalizedUser(mine) === named)) return [];
  try {
    const { lid, numberId } = await contacts.find(socket, named);
    return [lid, numberId].flatMap((each) => each ?? []);
  } catch (error) {
    if (error instanceof WafleetError) return [named];
    throw error;
  }
}
