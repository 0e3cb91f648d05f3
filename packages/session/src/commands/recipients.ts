import { WafleetError } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from '../caches/session-caches.js';
import { fromBaileys } from './baileys-errors.js';

/** What is used of a socket. */
type NumberSocket = Pick<WASocket, 'onWhatsApp'>;

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
   * @throws {WafleetError} RECIPIENT_NOT_FOUND, WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not answer.
   */
  async find(socket: NumberSocket, to: string): Promise<string> {
    const number = numberOf(to);
    if (number === undefined) return to;
    const jid = this.#known.get(number) ?? (await this.#ask(socket, number));
    if (jid === undefined) throw new WafleetError('RECIPIENT_NOT_FOUND', `${to} is not on WhatsApp.`);
    return jid;
  }

  /**
   * Returns the WhatsApp id of each recipient, undefined for those that are not on WhatsApp. It asks for 50 unknown
   * numbers at a time: WhatsApp refuses accounts that ask too often.
   * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not answer.
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
      await this.#askForMany(socket, numbers.slice(start, start + NUMBERS_PER_QUERY), found);
    }
    return recipients.map((to) => {
      const number = numberOf(to);
      return number === undefined ? to : found.get(number);
    });
  }

  async #ask(socket: NumberSocket, number: string): Promise<string | undefined> {
    const [first] = await askFor(socket, [number]);
    if (first?.exists !== true) return undefined;
    this.#known.set(number, first.jid);
    return first.jid;
  }

  /** WhatsApp may spell a number in another way. Baileys does not say which one it was, so these are asked for again. */
  async #askForMany(
    socket: NumberSocket,
    numbers: readonly string[],
    found: Map<string, string>,
  ): Promise<void> {
    const answers = (await askFor(socket, numbers)).filter(({ exists }) => exists);
    let respelt = 0;
    for (const { jid } of answers) {
      const number = numberOf(jid);
      if (number === undefined || !numbers.includes(number)) {
        respelt += 1;
        continue;
      }
      this.#known.set(number, jid);
      found.set(number, jid);
    }
    for (const number of numbers) {
      if (respelt === 0) return;
      if (found.has(number)) continue;
      const jid = await this.#ask(socket, number);
      if (jid === undefined) continue;
      found.set(number, jid);
      respelt -= 1;
    }
  }
}

/** The digits of a phone number, also of the id that has it; undefined for other ids. */
function numberOf(to: string): string | undefined {
  const [user = '', server] = to.split('@');
  return server === undefined || server === 's.whatsapp.net' ? user.replace(/\D/g, '') : undefined;
}

async function askFor(socket: NumberSocket, numbers: readonly string[]) {
  const found = await socket.onWhatsApp(...numbers).catch((error: unknown) => {
    throw fromBaileys(error, { otherwise: unanswered });
  });
  if (found === undefined) throw unanswered('no answer');
  return found;
}

/** UNAVAILABLE: nothing was sent. */
export function unanswered(cause: unknown): WafleetError {
  const message = 'WhatsApp did not answer whether it knows the recipient.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}
