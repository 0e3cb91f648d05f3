import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  type Fence,
  FencedError,
  isRedisUnreachable,
  type RecentMessages,
  UnreadableRecords,
} from '@wafleet/store';
import { isOfContent } from '../outbox/content-errors.js';

/** Differs from the name of any message that was sent. */
const nameOf = (id: string) => `status ${id}`;

/** Who got the statuses that a session posted in the last seven days, sealed: a deletion goes to the same people. */
export class StatusAudiences {
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #unreadable: UnreadableRecords;

  constructor(options: { recentMessages: RecentMessages; fence: Fence; logger: Logger }) {
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * @throws {WafleetError} UNAVAILABLE if Redis is out of reach. @throws {FencedError} if another worker owns the session.
   */
  async keep(id: string, audience: readonly string[]): Promise<void> {
    try {
      await this.#recentMessages.put(this.#fence, nameOf(id), Buffer.from(JSON.stringify(audience)));
    } catch (error) {
      if (error instanceof FencedError || !isRedisUnreachable(error)) throw error;
      throw new WafleetError('UNAVAILABLE', 'The status could not be stored, hence was not posted.');
    }
  }

  /** Undefined if the session did not post it, posted it too long ago, or it cannot be read. Rejects if Redis is out of reach. */
  async find(id: string): Promise<string[] | undefined> {
    try {
      const value = await this.#recentMessages.get(this.#fence, nameOf(id));
      if (value === undefined) return undefined;
      const audience: unknown = JSON.parse(value.toString());
      if (Array.isArray(audience) && audience.every((jid) => typeof jid === 'string')) return audience;
    } catch (error) {
      if (!isOfContent(error)) throw error;
    }
    this.#unreadable.report({ kind: 'status', name: id });
    return undefined;
  }
}
