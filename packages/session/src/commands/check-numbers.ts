import { USyncQuery, USyncUser, type WASocket } from '@whiskeysockets/baileys';
import { get } from '../baileys/untyped.js';
import { read } from './whatsapp-requests.js';

type Protocol = USyncQuery['protocols'][number];

/** What WhatsApp says of a number. */
export interface CheckedNumber {
  /** The person's id by number; undefined if the number is not on WhatsApp. */
  readonly id?: string;
  /** The person's LID, if WhatsApp names it. */
  readonly lid?: string;
}

/**
 * Baileys' own protocol drops the number that was asked for. It is needed, since a person can be found by a number
 * that is not the one of the id: in some countries numbers are written in two ways.
 */
const contactProtocol: Protocol = {
  name: 'contact',
  getQueryElement: () => ({ tag: 'contact', attrs: {} }),
  getUserElement: ({ phone = '' }) => ({ tag: 'contact', attrs: {}, content: phone }),
  parser: ({ attrs, content }) => ({
    isIn: attrs.type === 'in',
    asked: content instanceof Uint8Array || typeof content === 'string' ? content.toString() : undefined,
  }),
};

/**
 * Asks WhatsApp for people by their phone numbers, with one request.
 * @param numbers digits with the country code.
 * @returns what WhatsApp says of each number that is on WhatsApp.
 * @throws {WafleetError} as `read` does.
 */
export async function checkNumbers(
  socket: WASocket,
  numbers: readonly string[],
): Promise<ReadonlyMap<string, CheckedNumber>> {
  const query = new USyncQuery().withLIDProtocol();
  query.protocols.push(contactProtocol);
  for (const number of new Set(numbers)) query.withUser(new USyncUser().withPhone(`+${number}`));
  const answer = await read(socket.executeUSyncQuery(query));
  const found = new Map<string, CheckedNumber>();
  for (const { id, lid, contact } of answer?.list ?? []) {
    if (get(contact, 'isIn') !== true) continue;
    const asked = get(contact, 'asked');
    const number = (typeof asked === 'string' && asked ? asked : (id.split('@')[0] ?? '')).replace(/\D/g, '');
    found.set(number, { id, ...(typeof lid === 'string' && lid ? { lid } : {}) });
  }
  return found;
}
