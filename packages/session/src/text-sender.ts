import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { generateWAMessageFromContent, proto, type WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from './caches/session-caches.js';
import { type MessageAck, MessageAckWaiter } from './message-ack.js';
import type { SentMessages } from './sent-messages.js';

const SECRET_BYTES = 32;

export interface OutgoingText {
  /** A phone number with its country code, or a WhatsApp id of a person or a group. */
  readonly to: string;
  readonly text: string;
  /** Chosen by whoever asks, so that a repeated request cannot send a second message. */
  readonly messageId: string;
}

/**
 * How long WhatsApp may take to acknowledge a message that was handed to it. The edge gives a command 15 s in all;
 * within these, the sender learns the message's id.
 */
const ACK_MS = 10_000;

/** Why WhatsApp refuses messages, as far as its codes are known. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'the message is malformed',
  401: 'the account may not write to the recipient',
  403: 'the account may not write to the recipient',
  404: 'the recipient does not exist',
  463: 'the account is restricted: it may not begin new chats',
  479: "the message's addressing is out of date",
  500: 'an error inside of WhatsApp',
};

/** What WhatsApp said against a request, as its own code; undefined when the request got no answer. */
function refusalCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  return typeof code === 'number' ? code : undefined;
}

function refused(code: number, details: { messageId?: string } = {}): WafleetError {
  const reason = REFUSALS[code];
  const message = `WhatsApp refused the request with code ${code}${reason === undefined ? '' : `: ${reason}`}.`;
  return new WafleetError('WHATSAPP_REFUSED', message, {
    code,
    ...(reason === undefined ? {} : { reason }),
    ...details,
  });
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

/** Sends a message and waits until WhatsApp has acknowledged it. */
async function relay(socket: WASocket, jid: string, content: proto.IMessage, messageId: string) {
  const waiter = new MessageAckWaiter(socket, messageId);
  let timer: NodeJS.Timeout | undefined;
  let ack: MessageAck;
  try {
    await socket.relayMessage(jid, content, { messageId });
    timer = setTimeout(() => waiter.stop(), ACK_MS);
    ack = await waiter.ack;
  } catch (error) {
    const code = refusalCode(error);
    if (code !== undefined) throw refused(code, { messageId });
  } finally {
    clearTimeout(timer);
    waiter.stop();
  }
  if (ack === undefined) {
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      'WhatsApp did not acknowledge the message. It may have been sent: look for `details.messageId` before sending it again.',
      { messageId },
    );
  }
  if (ack.error !== undefined) throw refused(Number(ack.error), { messageId });
}

/** Sends a session's text messages. */
export class TextSender {
  readonly #sentMessages: SentMessages;
  readonly #logger: Logger;
  readonly #isReading: () => boolean;
  readonly #knownRecipients: CachesOfSession['recipients'];

  constructor(options: {
    sentMessages: SentMessages;
    knownRecipients: CachesOfSession['recipients'];
    /** Whether the session reads what WhatsApp answers. */
    isReading: () => boolean;
    logger: Logger;
  }) {
    this.#sentMessages = options.sentMessages;
    this.#isReading = options.isReading;
    this.#knownRecipients = options.knownRecipients;
    this.#logger = options.logger;
  }

  /**
   * Sends a text. The message is kept before it leaves, for receivers that cannot decrypt it and ask again. Resolves
   * when WhatsApp has acknowledged the message, within 10 s after it was sent; delivery follows as `messages.update`,
   * the account's own message as `messages.upsert` of type `append`. No preview is made of links: the service would
   * have to open what a client writes. Nothing is sent while the session reads nothing, since no acknowledgement would
   * be seen. Only an acknowledged message is published as the account's own.
   * @throws {WafleetError} RECIPIENT_NOT_FOUND; UNAVAILABLE if nothing was sent; WHATSAPP_REFUSED with the `code` and
   * `messageId`; OUTCOME_UNKNOWN with the `messageId` if the acknowledgement did not come or the connection broke.
   * @throws {FencedError} when the session is another worker's; nothing was sent.
   */
  async send(socket: WASocket, { to, text, messageId }: OutgoingText): Promise<void> {
    this.#requireReading();
    const jid = await this.#findRecipient(socket, to);
    // With its secret others encrypt what they send about the message: reactions and comments, edits of the phone.
    const messageContextInfo = { messageSecret: randomBytes(SECRET_BYTES) };
    const content = proto.Message.create({ extendedTextMessage: { text }, messageContextInfo });
    await this.#sentMessages.keep(messageId, content);
    this.#requireReading();
    await relay(socket, jid, content, messageId);
    const message = generateWAMessageFromContent(jid, content, { userJid: socket.user?.id ?? '', messageId });
    try {
      await socket.messageMutex.mutex(() => socket.upsertMessage(message, 'append'));
    } catch (error) {
      // The message is on its way: that its own echo fails must not tell the sender that it is not.
      this.#logger.warn({ err: error }, 'the echo of a sent message failed');
    }
  }

  #requireReading(): void {
    if (this.#isReading()) return;
    throw new WafleetError(
      'UNAVAILABLE',
      'The session cannot store what WhatsApp answers at the moment. Nothing was sent.',
    );
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
