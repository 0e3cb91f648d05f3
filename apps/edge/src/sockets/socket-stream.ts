import { comparePositions, type EventPosition, type Subscription } from '@wafleet/contract';
import type { SocketReceiver } from '../fanout/socket-receiver.js';
import type { SocketWriter } from '../fanout/socket-writer.js';
import { type Beginning, EventStream, type Started, type StreamResources } from '../streams/event-stream.js';
import type { SubscriptionSet } from '../streams/subscription-set.js';
import type { EventSocket } from './event-socket.js';
import { SocketSink } from './socket-sink.js';

interface SocketStreamOptions {
  readonly socket: EventSocket;
  readonly writer: SocketWriter;
  readonly resources: StreamResources;
}

/**
 * The stream of a Socket.IO client, which may resume elsewhere without naming its position. It then resumes from
 * `provenPosition`. Written bytes prove nothing. The answer to a ping proves that everything written before the ping
 * has arrived.
 */
export class SocketStream extends EventStream implements SocketReceiver {
  readonly #socket: EventSocket;
  readonly #writer: SocketWriter;
  #proven: EventPosition | undefined;

  constructor({ socket, writer, resources }: SocketStreamOptions) {
    const { tenantId, keyId } = socket.data.identity;
    super({ owner: { tenantId, keyId }, sink: new SocketSink(socket, writer), resources });
    this.#socket = socket;
    this.#writer = writer;
  }

  /** Everything up to here has arrived at the client; undefined without a subscription. */
  get provenPosition(): EventPosition | undefined {
    return this.#proven;
  }

  toJSON(): undefined {
    return undefined;
  }

  /** What the answer to a ping sent now will prove. */
  get provable(): EventPosition | undefined {
    return this.#writer.isEmpty ? this.given : this.#writer.handed;
  }

  /** Notes that the provable position has been proven. Returns whether that is new. */
  prove(position: EventPosition): boolean {
    if (this.#proven === undefined || comparePositions(position, this.#proven) <= 0) return false;
    this.#proven = position;
    return true;
  }

  override async subscribe(subscription: SubscriptionSet, beginning: Beginning): Promise<Started> {
    const started = await super.subscribe(subscription, beginning);
    const { start } = started;
    const proven = this.subscribed.isEmpty ? undefined : this.#proven;
    if (proven === undefined || comparePositions(start, proven) < 0) this.#proven = start;
    return started;
  }

  /** Ends events. See SubscriptionSet. */
  async unsubscribe(subscription: Subscription): Promise<void> {
    const { identity } = this.#socket.data;
    const before = this.subscription.rooms(identity);
    this.remove(subscription);
    const remaining = new Set(this.subscription.rooms(identity));
    for (const room of before) if (!remaining.has(room)) await this.#socket.leave(room);
  }
}
