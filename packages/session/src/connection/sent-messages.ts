import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type Fence, FencedError, isRedisUnreachable, type RecentMessages } from '@wafleet/store';
import { proto } from '@whiskeysockets/baileys';

/** The pause before a sent message is looked up again. */
const FIND_AGAIN_MS = 500;

/** The messages that a session sent recently, for receivers that cannot decrypt one and request it again. */
export class SentMessages {
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #logger: Logger;

  constructor(options: { recentMessages: RecentMessages; fence: Fence; logger: Logger }) {
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#logger = options.logger;
  }

  /**
   * Stores a message that is about to be sent.
   * @throws {WafleetError} UNAVAILABLE if Redis is unreachable.
   * @throws {FencedError} if another worker owns the session.
   */
  async keep(id: string, content: proto.IMessage): Promise<void> {
    try {
      await this.#recentMessages.put(this.#fence, id, proto.Message.encode(content).finish());
    } catch (error) {
      if (error instanceof FencedError || !isRedisUnreachable(error)) throw error;
      throw new WafleetError('UNAVAILABLE', 'The message could not be stored, hence was not sent.');
    }
  }

  /**
   * Returns undefined if the message was not sent, was sent too long ago, or cannot be read. Rejects if Redis is
   * unreachable.
   */
  async find(id: string | null | undefined): Promise<proto.IMessage | undefined> {
    // The requester chooses the id. Names with spaces belong to other stored items.
    if (!id || id.includes(' ')) return undefined;
    try {
      const bytes = await this.#recentMessages.get(this.#fence, id);
      return bytes === undefined ? undefined : proto.Message.decode(bytes);
    } catch (error) {
      if (isRedisUnreachable(error)) throw error;
      // The value is malformed, or its key has been taken out of use since it was sealed.
      this.#logger.warn({ err: error, messageId: id }, 'a message cannot be sent again');
      return undefined;
    }
  }

  /**
   * Like `find`, but waits while Redis is unreachable. Baileys acknowledges the request of a receiver that could not
   * decrypt a message whether it was answered or not. Once the connection has ended it cannot acknowledge, and WhatsApp
   * delivers the request again.
   * @param isWaiting whether the connection that needs the message still exists. Rejects once it returns false.
   */
  async findInTime(
    id: string | null | undefined,
    isWaiting: () => boolean,
  ): Promise<proto.IMessage | undefined> {
    for (;;) {
      try {
        return await this.find(id);
      } catch (error) {
        if (!isWaiting() || !isRedisUnreachable(error)) throw error;
        this.#logger.warn({ err: error }, 'could not read a sent message; trying again');
        await delay(FIND_AGAIN_MS);
      }
    }
  }
}
