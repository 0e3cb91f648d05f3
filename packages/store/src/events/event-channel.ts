import type { RedisConnection } from '../redis/connection.js';
import { channels } from '../redis/keyspace.js';
import { ShardChannels } from '../redis/shard-channels.js';
import { type LoggedEvent, parseLoggedEvent } from './logged-event.js';

/**
 * The events of tenants as they happen. A message carries the event's name, session and position in front of the
 * payload, so a receiver routes it without parsing the payload.
 *
 * Delivery is at most once: what is published while the connection is down is not repeated. The connection
 * subscribes again by itself; a gap in `position.seq` shows what is to be read from the log.
 */
export class EventChannel {
  readonly #channels: ShardChannels;

  /** @param subscriber a connection of role `subscriber`; others may share it. */
  constructor(subscriber: RedisConnection) {
    this.#channels = new ShardChannels(subscriber);
  }

  /**
   * Starts to receive a tenant's events, in the order of the log. A second call for the same tenant replaces the
   * listener. Resolves when Redis has confirmed; a connection that is down makes that wait. Events whose name this
   * release does not know are left out.
   */
  async subscribe(tenantId: string, listener: (event: LoggedEvent) => void): Promise<void> {
    await this.#channels.subscribe(channels.events(tenantId), (message) => {
      const event = parseLoggedEvent(message);
      if (event !== undefined) listener(event);
    });
  }

  async unsubscribe(tenantId: string): Promise<void> {
    await this.#channels.unsubscribe(channels.events(tenantId));
  }
}
