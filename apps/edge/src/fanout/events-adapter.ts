import { RedisAdapter } from '@socket.io/redis-adapter';
import type { RedisConnection } from '@wafleet/store';
import type { Namespace } from 'socket.io';
import type { ClusterPublisher } from '../sockets/cluster-publisher.js';
import type { EventSocket } from '../sockets/socket-server.js';
import type { EventFanout } from './event-fanout.js';
import type { EventReceiver } from './event-receiver.js';

/** What takes a socket's events. */
export interface SocketReceiver extends EventReceiver {
  /** What other edges are told of it, with the rest of `socket.data`, when they ask for the cluster's sockets. */
  toJSON(): undefined;
}

/**
 * The adapter of a namespace: the Redis adapter for whatever concerns the whole cluster, while events come over their
 * tenant's own channel, and the fan-out gives them to this edge's sockets by the rooms that they join here. A socket
 * has its `data.stream` before it joins rooms of events.
 *
 * The fan-out keeps who is in those rooms by itself, for all namespaces at once: from a room of Socket.IO's to what
 * takes the event it is four look-ups, each of which waits for memory when there are thousands of sockets.
 */
export class EventsAdapter extends RedisAdapter {
  constructor(
    namespace: Namespace,
    publisher: ClusterPublisher,
    subscriber: RedisConnection,
    fanout: EventFanout,
  ) {
    super(namespace, publisher, subscriber);
    const dataOf = (id: string): Partial<EventSocket['data']> => {
      const sockets: ReadonlyMap<string, EventSocket> = namespace.sockets;
      return sockets.get(id)?.data ?? {};
    };
    this.on('join-room', (room: string, id: string) => {
      const { stream, identity } = dataOf(id);
      if (stream !== undefined) fanout.join(room, stream, identity?.sessions);
    });
    this.on('leave-room', (room: string, id: string) => {
      const { stream } = dataOf(id);
      if (stream !== undefined) fanout.leave(room, stream);
    });
  }

  /** What Socket.IO's server takes as `adapter`. It calls that with `new`, which an arrow function would not allow. */
  static over(publisher: ClusterPublisher, subscriber: RedisConnection, fanout: EventFanout) {
    return function createAdapter(namespace: Namespace): EventsAdapter {
      return new EventsAdapter(namespace, publisher, subscriber, fanout);
    };
  }
}
