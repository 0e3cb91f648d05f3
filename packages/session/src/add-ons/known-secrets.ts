import type { Logger } from '@wafleet/runtime';
import { type Fence, type RecentMessages, SealedValueError, type SecretsOfSession } from '@wafleet/store';
import { proto, type WAMessageKey } from '@whiskeysockets/baileys';
import type { QuestionStore } from '../polls/question-store.js';
import { decodeSecret, type MessageSecret, secretOf } from './message-secret.js';

/** Where the secrets of a session's messages are found. */
export class KnownSecrets {
  readonly #secrets: SecretsOfSession;
  readonly #questions: QuestionStore;
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #logger: Logger;

  constructor(options: {
    secrets: SecretsOfSession;
    questions: QuestionStore;
    recentMessages: RecentMessages;
    fence: Fence;
    logger: Logger;
  }) {
    this.#secrets = options.secrets;
    this.#questions = options.questions;
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#logger = options.logger;
  }

  /**
   * The secret of a message that was received or sent.
   * @param carrier the key of the message that names it, which is in the same chat.
   * @returns undefined for one that never came, or too long ago, or that no key of this worker opens. Rejects when Redis
   * is out of reach.
   */
  async find(id: string, carrier: WAMessageKey): Promise<MessageSecret | undefined> {
    try {
      const record = await this.#secrets.find(id);
      const kept = record && decodeSecret(record);
      return kept ?? (await this.#questions.find(id)) ?? (await this.#findSent(id, carrier));
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      this.#logger.warn({ err: error }, 'the secret of a message cannot be read');
      return undefined;
    }
  }

  /** A message that was sent, and whose own event did not reach the log: the process ended in between. */
  async #findSent(id: string, { remoteJid = null }: WAMessageKey): Promise<MessageSecret | undefined> {
    // Names with spaces are of other things that are kept there.
    if (id.includes(' ')) return undefined;
    const sent = await this.#recentMessages.get(this.#fence, id);
    if (sent === undefined) return undefined;
    const key = { remoteJid, fromMe: true, id };
    const secret = secretOf({ key, message: this.#decode(sent) });
    return secret && { key, secret };
  }

  #decode(sent: Uint8Array): proto.IMessage | null {
    try {
      return proto.Message.decode(sent);
    } catch (error) {
      this.#logger.warn({ err: error }, 'a sent message cannot be read');
      return null;
    }
  }
}
