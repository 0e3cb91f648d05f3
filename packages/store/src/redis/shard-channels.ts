import type { RedisConnection } from './connection.js';

/**
 * Listeners of sharded channels, one for each channel, over a connection that may have other users. Messages are bytes;
 * channel names are ASCII.
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

  /** Resolves when Redis has confirmed. If it rejects, the channel keeps its previous listener, if any. */
  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    const before = this.#listeners.get(channel);
    this.#listeners.set(channel, listener);
    try {
      await this.#subscriber.ssubscribe(channel);
    } catch (error) {
      if (this.#listeners.get(channel) === listener) {
        // The connection keeps trying to restore its subscriptions.
        if (before === undefined) this.#listeners.delete(channel);
        else this.#listeners.set(channel, before);
      }
      throw error;
    }
  }

  /** The listener receives nothing from this call on. Waits for Redis to confirm, unless Redis is out of reach now. */
  async unsubscribe(channel: string): Promise<void> {
    this.#listeners.delete(channel);
    const unsubscribed = this.#subscriber.sunsubscribe(channel);
    if (this.#subscriber.status === 'ready') await unsubscribed;
    else unsubscribed.catch(() => {});
  }
}
