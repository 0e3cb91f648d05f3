import { randomUUID } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { channels } from '../redis/keyspace.js';

const OPEN_AGAIN_MS = 1_000;

/**
 * A worker's connection whose only purpose is to be open. When the process ends, for any reason, its kernel closes the
 * connection, and Redis notices at once. The connection subscribes to a channel of its own, since Redis counts the
 * subscribers of a channel in constant time, while the list of all clients grows with the cluster.
 *
 * Each time it connects it takes a new token and another channel, so that a token identifies one unbroken connection.
 */
export class Lifeline {
  readonly #connection: RedisConnection;
  #token: string | undefined;

  /**
   * @param options.connection with the role `lifeline`; `close` ends it.
   * @param options.onOpen called when the connection is open with a new token, which should reach Redis soon.
   */
  constructor(options: { connection: RedisConnection; logger: Logger; onOpen: () => void }) {
    this.#connection = options.connection;
    this.#connection.on('ready', () => {
      this.#open(options.onOpen).catch((error: unknown) => {
        options.logger.warn({ err: error }, 'the lifeline could not be opened');
        // Redis may allow the subscription later. If the connection ended before the answer, the next connect retries.
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

  /** The token of the open connection. Undefined while none is open. */
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
