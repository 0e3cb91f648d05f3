import type { RedisConnection } from './connection.js';

/**
 * Listeners of sharded channels, one a channel, over a connection that may have other users. Messages are bytes; the
 * channels' names are ASCII.
 */
export class ShardChannels {
  readonly #subscriber: RedisConnection;
  readonly #listeners = new Map<string, (message: Buffer) => void>();

  constructor(subscriber: RedisConnection) {
    this.#subscriber = subscriber;
    subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      this.#listeners.get(channel.toString('latin1'))?.(message);
    });
  }

  /** Resolves when Redis has confirmed. When it rejects, the channel has the listener of before, if any. */
  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    const before = this.#listeners.get(channel);
    this.#listeners.set(channel, listener);
    try {
      await this.#subscriber.ssubscribe(channel);
    } catch (error) {
      if (this.#listeners.get(channel) === listener) {
        // The connection goes on trying to subscribe to what it was subscribed to.
        if (before === undefined) this.#listeners.delete(channel);
        else this.#listeners.set(channel, before);
      }
      throw error;
    }
  }

  /** From the call on the listener hears nothing. Waits for Redis to confirm, unless it is out of reach now. */
  async unsubscribe(channel: string): Promise<void> {
    this.#listeners.delete(channel);
    const unsubscribed = this.#subscriber.sunsubscribe(channel);
    if (this.#subscriber.status === 'ready') await unsubscribed;
    else unsubscribed.catch(() => {});
  }
}
