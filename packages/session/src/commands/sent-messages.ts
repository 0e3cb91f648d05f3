import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type Fence, FencedError, isRedisUnreachable, type RecentMessages } from '@wafleet/store';
import { proto } from '@whiskeysockets/baileys';

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
}
