import type { Fence, RecentMessages, SecretsOfSession, UnreadableRecords } from '@wafleet/store';
import { proto, type WAMessageKey } from '@whiskeysockets/baileys';
import { isOfContent } from '../outbox/content-errors.js';
import { decodeKept, type KeptMessage, type MessageSecret, secretOf } from './message-secret.js';
import type { QuestionStore } from './question-store.js';

/** Finds the secrets of a session's messages. */
export class KnownSecrets {
  readonly #secrets: SecretsOfSession;
  readonly #questions: QuestionStore;
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #unreadable: UnreadableRecords;

  constructor(options: {
    secrets: SecretsOfSession;
    questions: QuestionStore;
    recentMessages: RecentMessages;
    fence: Fence;
    unreadable: UnreadableRecords;
  }) {
    this.#secrets = options.secrets;
    this.#questions = options.questions;
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#unreadable = options.unreadable;
  }

  /**
   * The secret of a message that was received or sent.
   * @param carrier the key of the message that names it, which is in the same chat.
   * @returns undefined if the message never came, came too long ago, or is sealed with a key that this worker lacks.
   * Rejects if Redis is out of reach.
   */
  async find(id: string, carrier: WAMessageKey): Promise<MessageSecret | undefined> {
    const kept = await this.findKept(id);
    if (kept?.secret !== undefined) return { key: kept.key, secret: kept.secret };
    return (await this.#questions.find(id)) ?? (await this.#findSent(id, carrier));
  }

  /** What is kept of a message that was received or sent. Rejects if Redis is out of reach. */
  async findKept(id: string): Promise<KeptMessage | undefined> {
    return this.#readable('message-secret', id, async () => {
      const record = await this.#secrets.find(id);
      const kept = record && decodeKept(record);
      if (record !== undefined && kept === undefined) throw new Error('it has another form');
      return kept;
    });
  }

  /** Finds the secret of a sent message whose own event did not reach the log because the process ended in between. */
  async #findSent(id: string, { remoteJid = null }: WAMessageKey): Promise<MessageSecret | undefined> {
    // Names with spaces belong to other records that are kept there.
    if (id.includes(' ')) return undefined;
    return this.#readable('sent-message', id, async () => {
      const sent = await this.#recentMessages.get(this.#fence, id);
      if (sent === undefined) return undefined;
      const key = { remoteJid, fromMe: true, id };
      const secret = secretOf({ key, message: proto.Message.decode(sent) });
      return secret && { key, secret };
    });
  }

  /** Returns what `read` returns; undefined if the record cannot be read. Rejects if Redis is out of reach. */
  async #readable<T>(kind: string, name: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isOfContent(error)) throw error;
      this.#unreadable.report({ kind, name });
      return undefined;
    }
  }
}
