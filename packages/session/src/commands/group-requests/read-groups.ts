import { getBinaryNodeChild, getBinaryNodeChildren, type WASocket } from '@whiskeysockets/baileys';
import { askOfAll, readAnswer } from './ask-group.js';
import { type GroupDetails, readDetails } from './group-details.js';

/**
 * The groups of the account, from WhatsApp. Baileys' `groupFetchAllParticipating` emits every group as an event, each
 * time.
 * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp does not answer.
 */
export async function readGroups(socket: WASocket): Promise<GroupDetails[]> {
  const content = ['participants', 'description'].map((tag) => ({ tag, attrs: {} }));
  const answer = await readAnswer(askOfAll(socket, 'get', { tag: 'participating', attrs: {}, content }));
  return getBinaryNodeChildren(getBinaryNodeChild(answer, 'groups'), 'group').map(readDetails);
}
