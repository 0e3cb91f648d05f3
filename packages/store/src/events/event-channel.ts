import type { RedisConnection } from '../redis/connection.js';
import { channels } from '../redis/keyspace.js';
import { ShardChannels } from '../redis/shard-channels.js';
import { type LoggedEvent, parseLoggedEvent } from './logged-event.js';

/**
 * The events of tenants as they happen. A message carries the event's name, session and position in front of the
 * payload, so that a receiver routes it without parsing the payload.
 *
 * Delivery is at most once: events published while the connection is down are not repeated. The connection
 * subscribes again by itself. A gap in `position.seq` shows which events to read from the log.
 */
export class EventChannel {
  readonly #channels: ShardChannels;

  /** @param subscriber a connection of role `subscriber`; others may share it. */
  constructor(subscriber: RedisConnection) {
    this.#channels = new ShardChannels(subscriber);
  }

  /**
   * Starts to receive a tenant's events, in the order of the log. A second call for the same tenant replaces the
   * listener. Resolves when Redis has confirmed, which takes until the connection is up. Events with a name that this
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
