import type { Logger } from '@wafleet/runtime';
import {
  type EventLog,
  type Fence,
  type MessageSecrets,
  type ReceivedMedia,
  type RecentMessages,
  type SecretsOfSession,
  UnreadableRecords,
} from '@wafleet/store';
import type { BaileysEventMap, WAMessage } from '@whiskeysockets/baileys';
import type { Me } from '../mapping/changes.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { receivedFilesIn } from '../mapping/received-files.js';
import type { OpenedMessage } from '../mapping/unavailable.js';
import { contentOf } from '../mapping/unwrap.js';
import { isOfContent } from '../outbox/content-errors.js';
import { roughLength } from '../outbox/event-size.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OpenedAddOn } from './contents.js';
import { envelopeIn } from './envelopes.js';
import { KnownSecrets } from './known-secrets.js';
import { encodeKept, keptWithoutSecret, messageSecretOf } from './message-secret.js';
import { AddOnOpener } from './opener.js';
import { QuestionStore } from './question-store.js';
import { questionsIn } from './questions.js';

/** Secrets of older history messages are not kept: they would push out the secrets of newer messages. */
const HISTORY_MS = 7 * 24 * 60 * 60 * 1000;

interface AddOnDecryptionOptions {
  readonly fence: Fence;
  readonly recentMessages: RecentMessages;
  readonly messageSecrets: MessageSecrets;
  readonly receivedMedia: ReceivedMedia;
  readonly eventLog: Pick<EventLog, 'lastAppended'>;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** This account. */
  readonly me: () => Me;
  /** Maps a phone number to its LID and back, as far as this session knows the pair. Sends no request. */
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  /** Maps Baileys' events to the contract's. */
  readonly map: (events: Partial<BaileysEventMap>) => MappedEvent[];
  /** Puts the contract's events into the outbox. */
  readonly release: (events: readonly MappedEvent[]) => void;
  /** Adds what is known about the people in the events. */
  readonly complete: (events: readonly MappedEvent[]) => Promise<readonly MappedEvent[]>;
}

/** What keeps and finds the secrets of a session's messages, and opens add-ons with them. */
interface Means {
  readonly secrets: SecretsOfSession;
  readonly questions: QuestionStore;
  readonly opener: AddOnOpener;
  readonly unreadable: UnreadableRecords;
}

function makeMeans(options: AddOnDecryptionOptions): Means {
  const { fence, recentMessages, messageSecrets, logger, me, otherNameOf } = options;
  const unreadable = new UnreadableRecords(logger);
  const secrets = messageSecrets.ofSession(fence);
  const questions = new QuestionStore({ recentMessages, fence, unreadable });
  const known = new KnownSecrets({ secrets, questions, recentMessages, fence, unreadable });
  return { secrets, questions, opener: new AddOnOpener({ known, me, otherNameOf }), unreadable };
}

/**
 * Publishes Baileys' events and decrypts the add-ons in them: edits, reactions, comments, votes and replies to
 * invitations, which are encrypted with the secret of another message. Clients do not get those secrets, and the other
 * message may have come days ago and to another worker, so the secrets are stored (MessageSecrets).
 */
export class AddOnDecryption {
  readonly #options: AddOnDecryptionOptions;
  #made: Means | undefined;

  constructor(options: AddOnDecryptionOptions) {
    this.#options = options;
  }

  /** Created for the first event that needs them: many sessions never get one. */
  get #means(): Means {
    this.#made ??= makeMeans(this.#options);
    return this.#made;
  }

  /**
   * Publishes the events, and stores the secrets in them in the same write. An event with an add-on is published once
   * the secret that opens it was read. No event overtakes it, and the message that carried the add-on counts as
   * finished only after that.
   */
  publish(events: Partial<BaileysEventMap>): void {
    const { outbox, map, release, complete } = this.#options;
    for (const question of questionsIn(events)) outbox.run(() => this.#means.questions.keep(question));
    this.#keepMessages(events);
    const hasAddOns = events['messages.upsert']?.messages.some(isAddOn) === true;
    if (!hasAddOns) {
      release(map(events));
      return;
    }
    outbox.runFor({
      run: async () => complete(await this.#openAll(events)),
      instead: () => map(this.#withUnopened(events)),
      size: { events: events['messages.upsert']?.messages.length ?? 0, characters: roughLength(events) },
    });
  }

  /** Keeps secrets and keys of messages. Of a history only those with secrets: it would push out newer messages. */
  #keepMessages(events: Partial<BaileysEventMap>): void {
    const { outbox, eventLog, fence } = this.#options;
    const after = eventLog.lastAppended(fence.tenantId);
    const keep = (message: WAMessage, kept: ReturnType<typeof keptWithoutSecret>) => {
      if (kept === undefined) return;
      const sentAt = Number(String(message.messageTimestamp ?? 0)) || undefined;
      outbox.keep(this.#means.secrets.seal(kept.keptAs, encodeKept({ ...kept, after, sentAt })));
    };
    for (const message of events['messages.upsert']?.messages ?? []) {
      keep(message, messageSecretOf(message) ?? keptWithoutSecret(message));
    }
    for (const message of this.#historyIn(events)) keep(message, messageSecretOf(message));
  }

  *#historyIn(events: Partial<BaileysEventMap>): Generator<WAMessage> {
    const since = (Date.now() - HISTORY_MS) / 1_000;
    for (const message of events['messaging-history.set']?.messages ?? []) {
      if (Number(String(message.messageTimestamp ?? 0)) >= since) yield message;
    }
  }

  async #openAll(events: Partial<BaileysEventMap>): Promise<MappedEvent[]> {
    const { map } = this.#options;
    const upsert = events['messages.upsert'];
    if (upsert === undefined) return map(events);
    const opened = await Promise.all(upsert.messages.map((message) => this.#open(message)));
    const messages = opened.map(({ message }) => message);
    await this.#keepFiles({ ...upsert, messages: messages.filter(isOpened) });
    const shown = map({ ...withoutUnread(events), 'messages.upsert': { ...upsert, messages } });
    return [...shown, ...opened.flatMap(({ changes }) => map(changes))];
  }

  /** Stores the file of a comment, for clients that download it. */
  async #keepFiles(upsert: BaileysEventMap['messages.upsert']): Promise<void> {
    const { fence, receivedMedia, logger } = this.#options;
    const files = receivedFilesIn({ 'messages.upsert': upsert });
    if (files.length === 0) return;
    try {
      await receivedMedia.put(fence, files);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      logger.error({ err: error }, 'the files of messages could not be kept');
    }
  }

  /** Rejects only if Redis does not answer. After any other failure the message is published unopened. */
  async #open(message: WAMessage): Promise<OpenedAddOn> {
    const envelope = envelopeIn(contentOf(message.message));
    if (envelope === undefined) return { message, changes: {} };
    try {
      return await this.#means.opener.open(message, envelope);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      const { id = '' } = envelope.target;
      this.#means.unreadable.report({ kind: 'message-secret', name: id ?? '' });
      return this.#means.opener.unopened(message, envelope, 'unknown-message');
    }
  }

  #withUnopened(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    const upsert = events['messages.upsert'];
    if (upsert === undefined) return events;
    const messages = upsert.messages.map((message) => {
      const envelope = envelopeIn(contentOf(message.message));
      return envelope ? this.#means.opener.unopened(message, envelope, 'unknown-message').message : message;
    });
    return { ...withoutUnread(events), 'messages.upsert': { ...upsert, messages } };
  }
}

function isOpened(message: OpenedMessage): boolean {
  return message.isOpened === true;
}

function isAddOn({ message }: WAMessage): boolean {
  return envelopeIn(contentOf(message)) !== undefined;
}

/** Removes Baileys' unread counts: Baileys counts an encrypted edit or reaction as an unread message. */
function withoutUnread(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
  const messages = events['messages.upsert']?.messages ?? [];
  const updates = events['chats.update'];
  if (updates === undefined || !messages.every((message) => isAddOn(message) && !isComment(message))) {
    return events;
  }
  return { ...events, 'chats.update': updates.map(({ unreadCount: _, ...update }) => update) };
}

function isComment({ message }: WAMessage): boolean {
  return contentOf(message).encCommentMessage != null;
}
