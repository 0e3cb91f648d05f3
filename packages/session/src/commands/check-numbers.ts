import { WafleetError } from '@wafleet/contract';
import { USyncQuery, USyncUser, type WASocket } from '@whiskeysockets/baileys';
import { get } from '../baileys/untyped.js';
import { userOf } from '../identity/person-id.js';
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
    asked: content instanceof Uint8Array ? Buffer.from(content).toString() : content,
  }),
};

/** What WhatsApp answers for one person. */
interface Answer {
  readonly id: string;
  readonly lid?: unknown;
  readonly contact?: unknown;
}

/**
 * What WhatsApp says of each number that is on WhatsApp, by the number that was asked for. Undefined if it does not say
 * of any number whether it is there: it answers so when it was asked for too much.
 */
export function readAnswers(answers: readonly Answer[]): Map<string, CheckedNumber> | undefined {
  const said = answers.filter(({ contact }) => typeof get(contact, 'isIn') === 'boolean');
  if (said.length === 0) return undefined;
  return new Map(
    said
      .filter(({ contact }) => get(contact, 'isIn') === true)
      .map(({ id, lid, contact }) => {
        const asked = get(contact, 'asked');
        const number = typeof asked === 'string' && asked ? asked : (userOf(id) ?? '');
        return [number.replace(/\D/g, ''), { id, ...(typeof lid === 'string' && lid ? { lid } : {}) }];
      }),
  );
}

/**
 * Asks WhatsApp for people by their phone numbers, with one request.
 * @param numbers digits with the country code, at least one.
 * @returns what WhatsApp says of each number that is on WhatsApp.
 * @throws {WafleetError} as `read` does.
 */
export async function checkNumbers(
  socket: Pick<WASocket, 'executeUSyncQuery'>,
  numbers: readonly string[],
): Promise<ReadonlyMap<string, CheckedNumber>> {
  const query = new USyncQuery().withLIDProtocol();
  query.protocols.push(contactProtocol);
  for (const number of new Set(numbers)) query.withUser(new USyncUser().withPhone(`+${number}`));
  const found = readAnswers((await read(socket.executeUSyncQuery(query)))?.list ?? []);
  if (found === undefined) {
    throw new WafleetError('UNAVAILABLE', 'WhatsApp did not say which numbers it knows.');
  }
  return found;
}
