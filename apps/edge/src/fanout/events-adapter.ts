import { RedisAdapter } from '@socket.io/redis-adapter';
import type { RedisConnection } from '@wafleet/store';
import type { Namespace } from 'socket.io';
import type { ClusterPublisher } from '../sockets/cluster-publisher.js';
import type { EventSocket } from '../sockets/socket-server.js';
import type { EncodedEvent } from './encoded-event.js';

/** Takes a socket's events. */
export interface EventReceiver {
  deliver(event: EncodedEvent): void;
  /** What other edges are told of it, with the rest of `socket.data`, when they ask for the cluster's sockets. */
  toJSON(): undefined;
}

/**
 * The adapter of a namespace: the Redis adapter for whatever concerns the whole cluster, and the delivery of a tenant's
 * events to this edge's sockets, which come over the tenant's own channel. A socket has its `data.stream` before it
 * joins rooms of events.
 */
export class EventsAdapter extends RedisAdapter {
  /**
   * Who is in each room, as in `rooms`, but without the four look-ups from a room to what takes the event: with
   * thousands of sockets each of them waits for memory. A room of one has no set of its own.
   */
  readonly #receivers = new Map<string, EventReceiver | Set<EventReceiver>>();

  constructor(namespace: Namespace, publisher: ClusterPublisher, subscriber: RedisConnection) {
    super(namespace, publisher, subscriber);
    this.on('join-room', (room: string, id: string) => this.#join(room, id));
    this.on('leave-room', (room: string, id: string) => this.#leave(room, id));
  }

  /** What Socket.IO's server takes as `adapter`. It calls that with `new`, which an arrow function would not allow. */
  static over(publisher: ClusterPublisher, subscriber: RedisConnection) {
    return function createAdapter(namespace: Namespace): EventsAdapter {
      return new EventsAdapter(namespace, publisher, subscriber);
    };
  }

  /**
   * Gives the event to each socket of the rooms once.
   * @returns how many sockets that were.
   */
  deliver([one, other]: readonly [string, string], event: EncodedEvent): number {
    const first = this.#receivers.get(one);
    const second = this.#receivers.get(other);
    if (second === undefined) return give(first, event, undefined);
    return give(first, event, undefined) + give(second, event, first);
  }

  #join(room: string, id: string): void {
    const receiver = this.#receiverOf(id);
    if (receiver === undefined) return;
    const present = this.#receivers.get(room);
    if (present === undefined) this.#receivers.set(room, receiver);
    else if (present instanceof Set) present.add(receiver);
    else if (present !== receiver) this.#receivers.set(room, new Set([present, receiver]));
  }

  #leave(room: string, id: string): void {
    const receiver = this.#receiverOf(id);
    const present = this.#receivers.get(room);
    if (receiver === undefined || present === undefined) return;
    if (!(present instanceof Set)) {
      if (present === receiver) this.#receivers.delete(room);
      return;
    }
    present.delete(receiver);
    if (present.size === 0) this.#receivers.delete(room);
  }

  #receiverOf(id: string): EventReceiver | undefined {
    const sockets: ReadonlyMap<string, EventSocket> = this.nsp.sockets;
    const data: Partial<EventSocket['data']> | undefined = sockets.get(id)?.data;
    return data?.stream;
  }
}

type Receivers = EventReceiver | Set<EventReceiver> | undefined;

function give(receivers: Receivers, event: EncodedEvent, except: Receivers): number {
  if (receivers === undefined) return 0;
  if (!(receivers instanceof Set)) return has(except, receivers) ? 0 : deliverTo(receivers, event);
  let given = 0;
  for (const receiver of receivers) if (!has(except, receiver)) given += deliverTo(receiver, event);
  return given;
}

function has(receivers: Receivers, receiver: EventReceiver): boolean {
  return receivers instanceof Set ? receivers.has(receiver) : receivers === receiver;
}

function deliverTo(receiver: EventReceiver, event: EncodedEvent): 1 {
  receiver.deliver(event);
  return 1;
}
