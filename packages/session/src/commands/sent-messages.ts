import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type Fence, FencedError, isRedisUnreachable, type RecentMessages } from '@wafleet/store';
import { proto } from '@whiskeysockets/baileys';

/** The messages that a session sent lately, for receivers that cannot decrypt one and ask for it again. */
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
   * Keeps a message that is about to be sent.
   * @throws {WafleetError} UNAVAILABLE when Redis is out of reach.
   * @throws {FencedError} when the session is another worker's.
   */
  async keep(id: string, content: proto.IMessage): Promise<void> {
    try {
      await this.#recentMessages.put(this.#fence, id, proto.Message.encode(content).finish());
    } catch (error) {
      if (error instanceof FencedError || !isRedisUnreachable(error)) throw error;
      throw new WafleetError('UNAVAILABLE', 'The message could not be stored, hence was not sent.');
    }
  }

  /** Undefined for one that was not sent, or too long ago, or that cannot be read. Rejects if Redis is out of reach. */
  async find(id: string | null | undefined): Promise<proto.IMessage | undefined> {
    // Whoever asks chooses the id; names with spaces are of other things that are kept.
    if (!id || id.includes(' ')) return undefined;
    try {
      const bytes = await this.#recentMessages.get(this.#fence, id);
      return bytes === undefined ? undefined : proto.Message.decode(bytes);
    } catch (error) {
      if (isRedisUnreachable(error)) throw error;
      // Malformed, or sealed with a key that was taken out of use since.
      this.#logger.warn({ err: error, messageId: id }, 'a message cannot be sent again');
      return undefined;
    }
  }
}
