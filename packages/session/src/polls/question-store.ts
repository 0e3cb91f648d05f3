import type { Logger } from '@wafleet/runtime';
import { type Fence, isRedisUnreachable, type RecentMessages } from '@wafleet/store';
import type { Question } from './questions.js';

/** Differs from the name of any message that was sent. */
const nameOf = (id: string) => `question ${id}`;

/** Others choose how many there are; the room beyond is for messages that the account sends. */
const QUESTIONS_PER_DAY = 20_000;

/** The polls and invitations of a session's last seven days, sealed, for whoever owns it when an answer comes. */
export class QuestionStore {
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #logger: Logger;

  constructor(options: { recentMessages: RecentMessages; fence: Fence; logger: Logger }) {
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#logger = options.logger;
  }

  /** Keeps the first question of an id: a later one, in another chat perhaps, does not take its place. */
  async keep({ key, secret }: Question): Promise<void> {
    if ((await this.find(key.id)) !== undefined) return;
    const value = Buffer.from(JSON.stringify({ key, secret: Buffer.from(secret).toString('base64') }));
    await this.#recentMessages.put(this.#fence, nameOf(key.id), value, { mostPerDay: QUESTIONS_PER_DAY });
  }

  /** Undefined for one that never came, or too long ago, or that cannot be read. Rejects if Redis is out of reach. */
  async find(id: string): Promise<Question | undefined> {
    try {
      const value = await this.#recentMessages.get(this.#fence, nameOf(id));
      if (value === undefined) return undefined;
      const { key, secret }: { key: Question['key']; secret: string } = JSON.parse(value.toString());
      return { key, secret: Buffer.from(secret, 'base64') };
    } catch (error) {
      if (isRedisUnreachable(error)) throw error;
      this.#logger.warn({ err: error, messageId: id }, 'a poll or an invitation cannot be read');
      return undefined;
    }
  }
}
