import { WafleetError } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from '../caches/session-caches.js';
import { fromBaileys } from './baileys-errors.js';

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
  async find(socket: WASocket, to: string): Promise<string> {
    const [user = '', server] = to.split('@');
    if (server !== undefined && server !== 's.whatsapp.net') return to;
    const number = user.replace(/\D/g, '');
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    const found = await askFor(socket, number);
    if (found?.exists !== true) throw new WafleetError('RECIPIENT_NOT_FOUND', `${to} is not on WhatsApp.`);
    this.#known.set(number, found.jid);
    return found.jid;
  }
}

async function askFor(socket: WASocket, number: string) {
  const found = await socket.onWhatsApp(number).catch((error: unknown) => {
    throw fromBaileys(error, { otherwise: unanswered });
  });
  if (found === undefined) throw unanswered('no answer');
  return found[0];
}

/** UNAVAILABLE: nothing was sent. */
export function unanswered(cause: unknown): WafleetError {
  const message = 'WhatsApp did not answer whether it knows the recipient.';
  return new WafleetError('UNAVAILABLE', message, undefined, { cause });
}
