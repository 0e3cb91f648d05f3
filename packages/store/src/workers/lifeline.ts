import { randomUUID } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { channels } from '../redis/keyspace.js';

const OPEN_AGAIN_MS = 1_000;

/**
 * A worker's connection that does nothing but be open: when the process ends, however it ends, its kernel closes the
 * connection, and Redis knows at once. It subscribes to a channel of its own, since Redis tells in constant time how
 * many subscribers a channel has, while the list of all clients grows with the cluster.
 *
 * Each time it connects it takes a new token and another channel, so that a token stands for one unbroken connection.
 */
export class Lifeline {
  readonly #connection: RedisConnection;
  #token: string | undefined;

  /**
   * @param options.connection with the role `lifeline`; `close` ends it.
   * @param options.onOpen the connection is open under a new token, which should reach Redis soon.
   */
  constructor(options: { connection: RedisConnection; logger: Logger; onOpen: () => void }) {
    this.#connection = options.connection;
    this.#connection.on('ready', () => {
      this.#open(options.onOpen).catch((error: unknown) => {
        options.logger.warn({ err: error }, 'the lifeline could not be opened');
        // Redis may let it subscribe later. What the end of the connection overtook is tried again by itself.
        setTimeout(() => {
          if (this.#connection.status === 'ready' && this.#token === undefined)
            this.#connection.disconnect(true);
        }, OPEN_AGAIN_MS).unref();
      });
    });
    this.#connection.on('close', () => {
      this.#token = undefined;
    });
  }

  /** Of the connection that is open; undefined while none is. */
  get token(): string | undefined {
    return this.#token;
  }

  close(): void {
    this.#connection.disconnect();
  }

  async #open(onOpen: () => void): Promise<void> {
    const token = randomUUID();
    await this.#connection.ssubscribe(channels.lifeline(token));
    this.#token = token;
    onOpen();
  }
}
