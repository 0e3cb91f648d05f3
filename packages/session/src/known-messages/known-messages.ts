import { type EventPosition, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  type EventLog,
  type Fence,
  type LoggedEvent,
  type MessageSecrets,
  type RecentMessages,
  UnreadableRecords,
} from '@wafleet/store';
import { proto, type WAMessageKey } from '@whiskeysockets/baileys';
import { KnownSecrets } from '../add-ons/known-secrets.js';
import type { KeptMessage } from '../add-ons/message-secret.js';
import { QuestionStore } from '../add-ons/question-store.js';
import type { SentMessages } from '../connection/sent-messages.js';
import { isJsonObject, type JsonValue } from '../mapping/normalise.js';
import { contentOf } from '../mapping/unwrap.js';

/** A message and what it says, without its wrappers and secrets. */
export interface MessageWithContent {
  readonly key: WAMessageKey & { readonly id: string };
  readonly content: proto.IMessage;
}

/** How much of the log is read for one message, from before its event on. */
const PAGES = 8;
const EVENTS_PER_PAGE = 1_000;

interface KnownMessagesOptions {
  readonly fence: Fence;
  readonly messageSecrets: MessageSecrets;
  readonly recentMessages: RecentMessages;
  readonly eventLog: Pick<EventLog, 'read'>;
  readonly sentMessages: Pick<SentMessages, 'find'>;
  /** Chats of the messages that were just sent, by the messages' ids. */
  readonly sentTo: { get(id: string): string | undefined };
  readonly logger: Logger;
}

/**
 * Finds the messages that a session received or sent by their ids: their keys for 7 to 14 days, unless 10,000 later ones
 * came; the contents of those that the session sent for 7 to 8 days; the contents of others as long as the tenant's
 * event log has them. Senders choose ids. If two messages have the same, the first one is found.
 */
export class KnownMessages {
  readonly #options: KnownMessagesOptions;
  #secrets: KnownSecrets | undefined;

  constructor(options: KnownMessagesOptions) {
    this.#options = options;
  }

  /** Created for the first call: many sessions never get one. */
  get #known(): KnownSecrets {
    if (this.#secrets !== undefined) return this.#secrets;
    const { fence, messageSecrets, recentMessages, logger } = this.#options;
    const unreadable = new UnreadableRecords(logger);
    const questions = new QuestionStore({ recentMessages, fence, unreadable });
    const secrets = messageSecrets.ofSession(fence);
    this.#secrets = new KnownSecrets({ secrets, questions, recentMessages, fence, unreadable });
    return this.#secrets;
  }

  /** What is kept of a message. Rejects if Redis is out of reach. */
  async findKept(id: string): Promise<KeptMessage | undefined> {
    const kept = await this.#known.findKept(id);
    if (kept !== undefined) return kept;
    // Its own event may not be in the log yet.
    const remoteJid = this.#options.sentTo.get(id);
    return remoteJid === undefined ? undefined : { key: { remoteJid, id, fromMe: true }, secret: undefined };
  }

  /** The key and the secret of a message, of a poll or an invitation too that is kept no longer as a message. */
  async findSecret(id: string): Promise<{ key: WAMessageKey; secret: Uint8Array } | undefined> {
    return this.#known.find(id, { remoteJid: this.#options.sentTo.get(id) ?? null });
  }

  /**
   * A message and its content.
   * @throws {WafleetError} MESSAGE_NOT_FOUND. Rejects if Redis is out of reach.
   */
  async requireContent(id: string): Promise<MessageWithContent> {
    const found = await this.findContent(id);
    if (found !== undefined) return found;
    throw new WafleetError('MESSAGE_NOT_FOUND', 'The session does not know the content of this message.');
  }

  /** Returns undefined if the message or its content is not known. Rejects if Redis is out of reach. */
  async findContent(id: string): Promise<MessageWithContent | undefined> {
    const kept = await this.findKept(id);
    // What another person sent under an id of ours is not ours.
    const sent =
      kept === undefined || kept.key.fromMe ? await this.#options.sentMessages.find(id) : undefined;
    if (sent != null) return { key: kept?.key ?? { id, fromMe: true }, content: bare(sent) };
    if (kept?.after === undefined) return undefined;
    const content = await this.#search(kept, kept.after);
    return content && { key: kept.key, content: bare(content) };
  }

  /** Reads the log from before the message's event on. */
  async #search(kept: KeptMessage, from: EventPosition): Promise<proto.IMessage | undefined> {
    const { eventLog, fence } = this.#options;
    let after = from;
    for (let pages = 0; pages < PAGES; pages += 1) {
      const page = await eventLog.read(fence.tenantId, {
        ...{ after, count: EVENTS_PER_PAGE },
        names: ['messages.upsert'],
      });
      for (const event of page.events) {
        const content = event.sessionId === fence.sessionId ? contentIn(event, kept.key) : undefined;
        if (content !== undefined) return content;
      }
      if (page.first === undefined) return undefined;
      after = page.end;
    }
    return undefined;
  }
}

/** The content of a message that an event has; undefined if the event does not have it. */
function contentIn({ body }: LoggedEvent, key: KeptMessage['key']): proto.IMessage | undefined {
  if (!body.includes(JSON.stringify(key.id))) return undefined;
  const { messages } = JSON.parse(body.toString()) as { readonly messages?: JsonValue };
  if (!Array.isArray(messages)) return undefined;
  for (const message of messages) {
    if (!isJsonObject(message) || !isJsonObject(message.key) || !isJsonObject(message.message)) continue;
    const { id, remoteJid, fromMe = false } = message.key;
    if (id !== key.id || remoteJid !== key.remoteJid || fromMe !== (key.fromMe ?? false)) continue;
    return proto.Message.fromObject(message.message);
  }
  return undefined;
}

/** A content without its wrappers and its secret. */
function bare(message: proto.IMessage): proto.IMessage {
  const { messageContextInfo: _, ...content } = contentOf(message);
  return proto.Message.create(content);
}
