import { WafleetError } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from '../caches/session-caches.js';
import { type CheckedNumber, checkNumbers } from './check-numbers.js';

/** What is used of a socket. */
type NumberSocket = Pick<WASocket, 'executeUSyncQuery'>;

/** How many numbers one query asks for. */
const NUMBERS_PER_QUERY = 50;

/** Finds the chats that clients name. */
export class Recipients {
  readonly #known: CachesOfSession['recipients'];

  /** @param known the ids of people by their numbers, as WhatsApp answered. */
  constructor(known: CachesOfSession['recipients']) {
    this.#known = known;
  }

  /**
   * Returns the WhatsApp id of a recipient. For a phone number it asks WhatsApp, which drops messages to numbers that
   * it does not know. Groups and LIDs are used unchanged.
   * @param to a phone number with its country code, or a WhatsApp id of a person or a group.
   * @throws {WafleetError} RECIPIENT_NOT_FOUND, WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not say it.
   */
  async find(socket: NumberSocket, to: string): Promise<string> {
    const number = numberOf(to);
    if (number === undefined) return to;
    const jid = this.#known.get(number) ?? (await this.#ask(socket, [number])).get(number)?.id;
    if (jid === undefined) throw new WafleetError('RECIPIENT_NOT_FOUND', `${to} is not on WhatsApp.`);
    return jid;
  }

  /**
   * Returns the WhatsApp id of each recipient, undefined for those that are not on WhatsApp. It asks for 50 unknown
   * numbers at a time: WhatsApp refuses accounts that ask too often.
   * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not say it.
   */
  async findAll(socket: NumberSocket, recipients: readonly string[]): Promise<(string | undefined)[]> {
    const found = new Map<string, string>();
    const unknown = new Set<string>();
    for (const number of recipients.map(numberOf)) {
      const known = number === undefined ? undefined : this.#known.get(number);
      if (number !== undefined && known !== undefined) found.set(number, known);
      else if (number !== undefined) unknown.add(number);
    }
    const numbers = [...unknown];
    for (let start = 0; start < numbers.length; start += NUMBERS_PER_QUERY) {
      const checked = await this.#ask(socket, numbers.slice(start, start + NUMBERS_PER_QUERY));
      for (const [number, { id }] of checked) if (id !== undefined) found.set(number, id);
    }
    return recipients.map((to) => {
      const number = numberOf(to);
      return number === undefined ? to : found.get(number);
    });
  }

  async #ask(socket: NumberSocket, numbers: readonly string[]): Promise<ReadonlyMap<string, CheckedNumber>> {
    const found = await checkNumbers(socket, numbers);
    for (const number of numbers) {
      const { id } = found.get(number) ?? {};
      if (id !== undefined) this.#known.set(number, id);
    }
    return found;
  }
}

/** The digits of a phone number, also of the id that has it; undefined for other ids. */
function numberOf(to: string): string | undefined {
  const [user = '', server] = to.split('@');
  return server === undefined || server === 's.whatsapp.net' ? user.replace(/\D/g, '') : undefined;
}

/** UNAVAILABLE: nothing was sent. */
export function unanswered(cause: unknown): WafleetError {
  const message = 'WhatsApp did not answer whether it knows the recipient.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}
