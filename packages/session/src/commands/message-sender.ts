import { WafleetError } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import { type BinaryNode, generateWAMessageFromContent, proto, type WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from '../caches/session-caches.js';
import type { SentMessages } from '../connection/sent-messages.js';
import type { StatusAudiences } from '../connection/status-audiences.js';
import { fromBaileys, whatsAppRefused } from './baileys-errors.js';
import type { HiddenFailures } from './hidden-failures.js';
import { type MessageAck, MessageAckWaiter } from './message-ack.js';
import type { SessionRestrictions } from './pacing/restrictions.js';
import type { SendPermit } from './pacing/send-pacing.js';
import { secretOfSent } from './sent-secret.js';
import { canBeReferredTo, stanzaOptions } from './stanza-options.js';

/**
 * How long WhatsApp may take to acknowledge a sent message. The edge allows 15 s for a whole command, so the sender
 * learns the message's id in time.
 */
const ACK_MS = 10_000;

function outcomeUnknown(messageId: string, cause: unknown): WafleetError {
  const message =
    'WhatsApp did not acknowledge the message. It may have been sent: look for `details.messageId` before sending it again.';
  return new WafleetError('OUTCOME_UNKNOWN', message, { messageId }, { cause });
}

const restricted = 'WhatsApp does not let the account begin this chat. Nothing was sent.';
const outdated = 'WhatsApp refused the message: its addressing is out of date. Nothing was sent.';

function withSecret({ messageContextInfo, ...content }: proto.IMessage, secret: Uint8Array): proto.IMessage {
  const messageSecret = messageContextInfo?.messageSecret ?? secret;
  return { ...content, messageContextInfo: { ...messageContextInfo, messageSecret } };
}

interface OutgoingMessage {
  readonly jid: string;
  readonly content: proto.IMessage;
  readonly messageId: string;
  /** Who gets it, of a status. It is stored with the message: a device that cannot decrypt it asks for it again. */
  readonly audience?: readonly string[] | undefined;
}

/** How a message is sent. */
interface SendOptions {
  /** How long the chat first shows that the account is typing, ms. */
  readonly typing?: number | undefined;
  /** It is a part of the message that was sent right before it: pacing counts both as one. */
  readonly isPart?: boolean | undefined;
}

interface OutgoingPost {
  /** The channel. */
  readonly jid: string;
  readonly messageId: string;
  /** What is sent: of a change of another message it has the id of that one. */
  readonly stanza: BinaryNode;
  /** What is published as the account's own message. Undefined: nothing is. */
  readonly published: proto.IMessage | undefined;
}

/** WhatsApp's codes of refusals that are not like the others. */
const RESTRICTED = 463;
const ADDRESSING = 479;

/** Looks up the devices and the members of a group again, whatever is cached. */
const AFRESH = { useUserDevicesCache: false, useCachedGroupMetadata: false } as const;

/** What WhatsApp has answered. */
interface Answer {
  /** The code if it refused the message. */
  readonly refusal: number | undefined;
  /** The number that a channel has given the message. */
  readonly serverId: string | undefined;
}

/**
 * Sends a message and waits until WhatsApp has answered.
 * @param stanzaId the id that WhatsApp acknowledges. @param messageId the one that errors name.
 */
async function relay(
  socket: WASocket,
  { stanzaId, messageId }: { readonly stanzaId: string; readonly messageId: string },
  send: () => Promise<unknown>,
): Promise<Answer> {
  const waiter = new MessageAckWaiter(socket, stanzaId);
  let ack: MessageAck;
  try {
    await send();
    ack = (await withTimeout(waiter.ack, ACK_MS)) ? await waiter.ack : undefined;
  } catch (error) {
    throw fromBaileys(error, {
      details: { messageId },
      otherwise: (cause) => outcomeUnknown(messageId, cause),
    });
  } finally {
    waiter.stop();
  }
  if (ack === undefined) throw outcomeUnknown(messageId, 'no acknowledgement');
  const { error, serverId } = ack;
  return { refusal: error === undefined ? undefined : Number(error), serverId };
}

/** Sends a session's messages. */
export class MessageSender {
  readonly #sentMessages: SentMessages;
  readonly #statusAudiences: StatusAudiences;
  readonly #sentTo: CachesOfSession['sentTo'];
  readonly #readingGate: { readonly isOpen: boolean };
  readonly #restrictions: SessionRestrictions;
  readonly #hiddenFailures: HiddenFailures;
  readonly #logger: Logger;

  constructor(options: {
    sentMessages: SentMessages;
    statusAudiences: StatusAudiences;
    /** Learns the chat of each message that was sent, for calls that name it before its event is in the log. */
    sentTo: CachesOfSession['sentTo'];
    /** Shows whether the session currently reads WhatsApp's answers. */
    readingGate: { readonly isOpen: boolean };
    /** Decides whether a message may be sent now. */
    restrictions: SessionRestrictions;
    /** Learns which refusals are no failures of messages. */
    hiddenFailures: HiddenFailures;
    logger: Logger;
  }) {
    this.#sentMessages = options.sentMessages;
    this.#statusAudiences = options.statusAudiences;
    this.#sentTo = options.sentTo;
    this.#readingGate = options.readingGate;
    this.#restrictions = options.restrictions;
    this.#hiddenFailures = options.hiddenFailures;
    this.#logger = options.logger;
  }

  /** @throws {WafleetError} UNAVAILABLE if the session could not read WhatsApp's answers. */
  requireReading(): void {
    if (this.#readingGate.isOpen) return;
    throw new WafleetError(
      'UNAVAILABLE',
      'The session cannot store what WhatsApp answers at the moment. Nothing was sent.',
    );
  }

  /**
   * Sends a message. Stores it first, for receivers that cannot decrypt it and request it again. Resolves when WhatsApp
   * has acknowledged the message, within 10 s after it was sent. Delivery follows as `messages.update`, the account's
   * own message as `messages.upsert` of type `append`. Only an acknowledged message is published as the account's own.
   * The same message can be sent again under its id: phones drop the second copy.
   * @param message.content gets a secret unless it has one, or says something about another message.
   * @throws {WafleetError} UNAVAILABLE, PACED, SENDS_PAUSED if nothing was sent; ACCOUNT_RESTRICTED, ADDRESSING_OUTDATED,
   * WHATSAPP_REFUSED with the `code` and `messageId`; OUTCOME_UNKNOWN with the `messageId` if the acknowledgement did not
   * come or the connection broke.
   * @throws {FencedError} if another worker owns the session; nothing was sent.
   */
  async send(
    socket: WASocket,
    { jid, content: bare, messageId, typing, isPart, audience }: OutgoingMessage & SendOptions,
  ): Promise<void> {
    this.requireReading();
    const requested = { jid, content: bare, messageId, typing, isPart };
    const permit = await this.#restrictions.sends.request(socket, requested);
    const { signedIdentityKey } = socket.authState.creds;
    const secret = secretOfSent(messageId, signedIdentityKey.private);
    const content = proto.Message.create(canBeReferredTo(bare) ? withSecret(bare, secret) : bare);
    await this.#permitted(permit, { socket, messageId }, async () => {
      await this.#keep(content, { messageId, jid, audience });
      return this.#relay(socket, { jid, content, messageId, audience });
    });
    await this.#publish(socket, { jid, content, messageId });
  }

  /**
   * Sends a stanza to a channel, where nothing is encrypted. Otherwise as `send`. Resolves to the number that the
   * channel has given the message, if WhatsApp says it.
   * @throws {WafleetError} as `send` does.
   */
  async post(
    socket: WASocket,
    { jid, messageId, stanza, published }: OutgoingPost,
  ): Promise<string | undefined> {
    this.requireReading();
    const content = published && proto.Message.create(published);
    const permit = await this.#restrictions.sends.request(socket, { jid, content: content ?? {}, messageId });
    const stanzaId = stanza.attrs.id ?? messageId;
    const { serverId } = await this.#permitted(permit, { socket, messageId }, async () => {
      if (content !== undefined) await this.#keep(content, { messageId, jid });
      const send = () => relay(socket, { stanzaId, messageId }, () => socket.sendNode(stanza));
      // A change that is refused leaves the message as it was.
      return stanzaId === messageId ? send() : this.#withHidden(stanzaId, 'any', send);
    });
    if (content !== undefined) await this.#publish(socket, { jid, content, messageId, serverId });
    return serverId;
  }

  /** Sends by a permit, and tells the permit what has become of it. @throws {WafleetError} if WhatsApp refuses. */
  async #permitted(
    permit: SendPermit,
    { socket, messageId }: { readonly socket: WASocket; readonly messageId: string },
    send: () => Promise<Answer>,
  ): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await send();
    } catch (error) {
      permit.failed();
      throw error;
    }
    if (answer.refusal !== undefined) {
      await permit.refused(answer.refusal);
      throw await this.#refused(socket, answer.refusal, messageId);
    }
    await permit.sent();
    return answer;
  }

  /** Stores a message that is about to be sent. */
  async #keep(
    content: proto.IMessage,
    { messageId, jid, audience }: Omit<OutgoingMessage, 'content'>,
  ): Promise<void> {
    this.requireReading();
    if (audience !== undefined) await this.#statusAudiences.keep(messageId, audience);
    await this.#sentMessages.keep(messageId, content);
    this.requireReading();
    this.#sentTo.set(messageId, jid);
  }

  async #publish(
    socket: WASocket,
    { jid, content, messageId, serverId }: OutgoingMessage & { readonly serverId?: string | undefined },
  ): Promise<void> {
    const message = generateWAMessageFromContent(jid, content, { userJid: socket.user?.id ?? '', messageId });
    if (serverId !== undefined) message.key = { ...message.key, server_id: serverId };
    try {
      await socket.messageMutex.mutex(() => socket.upsertMessage(message, 'append'));
    } catch (error) {
      // The message is on its way: a failure of its echo must not make the send look failed.
      this.#logger.warn({ err: error }, 'could not publish the echo of a sent message');
    }
  }

  /**
   * Sends a message. If WhatsApp says that its addressing is out of date, no recipient has it: looks the devices of the
   * recipients up again and sends it once more, under the same id.
   */
  async #relay(socket: WASocket, { jid, content, messageId, audience }: OutgoingMessage): Promise<Answer> {
    const options = {
      ...{ messageId, ...stanzaOptions(content) },
      ...(audience === undefined ? {} : { statusJidList: [...audience] }),
    };
    const send = (more: Partial<typeof AFRESH> = {}) =>
      relay(socket, { stanzaId: messageId, messageId }, () =>
        socket.relayMessage(jid, content, { ...options, ...more }),
      );
    const answer = await this.#withHidden(messageId, String(ADDRESSING), send);
    return answer.refusal === ADDRESSING ? send(AFRESH) : answer;
  }

  /** Sends. No event says that the message with this id has failed, should WhatsApp answer with the code. */
  async #withHidden(messageId: string, code: string, send: () => Promise<Answer>): Promise<Answer> {
    const answered = this.#hiddenFailures.hide(messageId, code);
    try {
      const answer = await send();
      answered(answer.refusal !== undefined && (code === 'any' || code === String(answer.refusal)));
      return answer;
    } catch (error) {
      answered(false);
      throw error;
    }
  }

  async #refused(socket: WASocket, code: number, messageId: string): Promise<WafleetError> {
    if (code === RESTRICTED) {
      const until = await this.#restrictions.lockedUntil(socket);
      const details = { code, messageId, ...(until === undefined ? {} : { until }) };
      return new WafleetError('ACCOUNT_RESTRICTED', restricted, details);
    }
    if (code === ADDRESSING) return new WafleetError('ADDRESSING_OUTDATED', outdated, { code, messageId });
    return whatsAppRefused(code, { details: { messageId } });
  }
}
