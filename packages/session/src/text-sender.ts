import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { generateWAMessageFromContent, proto, type WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from './caches/session-caches.js';
import type { SentMessages } from './sent-messages.js';

const SECRET_BYTES = 32;

export interface OutgoingText {
  /** A phone number with its country code, or a WhatsApp id of a person or a group. */
  readonly to: string;
  readonly text: string;
  /** Chosen by whoever asks, so that a repeated request cannot send a second message. */
  readonly messageId: string;
}

/** What WhatsApp said against a request, as its own code; undefined when the request got no answer. */
function refusalCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  return typeof code === 'number' ? code : undefined;
}

function refused(code: number): WafleetError {
  return new WafleetError('WHATSAPP_REFUSED', `WhatsApp refused the request with code ${code}.`, { code });
}

async function askFor(socket: WASocket, number: string) {
  try {
    const found = await socket.onWhatsApp(number);
    if (found !== undefined) return found[0];
  } catch (error) {
    const code = refusalCode(error);
    if (code !== undefined) throw refused(code);
  }
  throw new WafleetError('UNAVAILABLE', 'WhatsApp did not answer whether it knows the recipient.');
}

async function relay(socket: WASocket, jid: string, content: proto.IMessage, messageId: string) {
  try {
    await socket.relayMessage(jid, content, { messageId });
  } catch (error) {
    const code = refusalCode(error);
    if (code !== undefined) throw refused(code);
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      'The connection broke while the message was sent; sending it again under the same id is safe.',
    );
  }
}

/** Sends a session's text messages. */
export class TextSender {
  readonly #sentMessages: SentMessages;
  readonly #logger: Logger;
  readonly #knownRecipients: CachesOfSession['recipients'];

  constructor(options: {
    sentMessages: SentMessages;
    knownRecipients: CachesOfSession['recipients'];
    logger: Logger;
  }) {
    this.#sentMessages = options.sentMessages;
    this.#knownRecipients = options.knownRecipients;
    this.#logger = options.logger;
  }

  /**
   * Sends a text. The message is kept before it leaves, for receivers that cannot decrypt it and ask again. Resolves
   * when WhatsApp was handed the message; delivery and errors follow as `messages.update`, the account's own message
   * as `messages.upsert` of type `append`. No preview is made of links: the service would have to open what a client
   * writes.
   * @throws {WafleetError} RECIPIENT_NOT_FOUND, WHATSAPP_REFUSED, UNAVAILABLE, OUTCOME_UNKNOWN.
   * @throws {FencedError} when the session is another worker's; nothing was sent.
   */
  async send(socket: WASocket, { to, text, messageId }: OutgoingText): Promise<void> {
    const jid = await this.#findRecipient(socket, to);
    // With its secret others encrypt what they send about the message: reactions and comments, edits of the phone.
    const messageContextInfo = { messageSecret: randomBytes(SECRET_BYTES) };
    const content = proto.Message.create({ extendedTextMessage: { text }, messageContextInfo });
    await this.#sentMessages.keep(messageId, content);
    await relay(socket, jid, content, messageId);
    const message = generateWAMessageFromContent(jid, content, { userJid: socket.user?.id ?? '', messageId });
    try {
      await socket.messageMutex.mutex(() => socket.upsertMessage(message, 'append'));
    } catch (error) {
      // The message is on its way: that its own echo fails must not tell the sender that it is not.
      this.#logger.warn({ err: error }, 'the echo of a sent message failed');
    }
  }

  /** A person is asked for by number, since WhatsApp drops what is sent to a number that it does not know. */
  async #findRecipient(socket: WASocket, to: string): Promise<string> {
    const [user = '', server] = to.split('@');
    if (server !== undefined && server !== 's.whatsapp.net') return to;
    const number = user.replace(/\D/g, '');
    const known = this.#knownRecipients.get(number);
    if (known !== undefined) return known;
    const found = await askFor(socket, number);
    if (found?.exists !== true) throw new WafleetError('RECIPIENT_NOT_FOUND', `${to} is not on WhatsApp.`);
    this.#knownRecipients.set(number, found.jid);
    return found.jid;
  }
}
