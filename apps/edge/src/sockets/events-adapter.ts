import { RedisAdapter } from '@socket.io/redis-adapter';
import type { RedisConnection } from '@wafleet/store';
import type { Namespace } from 'socket.io';
import type { EventFanout } from '../fanout/event-fanout.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { EventSocket } from './event-socket.js';

/**
 * The adapter of a namespace. The Redis adapter serves whatever concerns the whole cluster. Events come over their
 * tenant's own channel instead, and the fan-out gives them to this edge's sockets by the rooms that they join here. A
 * socket has its `data.stream` before it joins rooms of events.
 *
 * The fan-out itself keeps the members of those rooms, for all namespaces at once. From a room of Socket.IO's to the
 * receiver of an event it takes four look-ups, and each waits for memory when there are thousands of sockets.
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

  /**
   * The value of the `adapter` option of Socket.IO's server, which calls it with `new`. An arrow function would not
   * allow that.
   */
  static over(publisher: ClusterPublisher, subscriber: RedisConnection, fanout: EventFanout) {
    return function createAdapter(namespace: Namespace): EventsAdapter {
      return new EventsAdapter(namespace, publisher, subscriber, fanout);
    };
  }
}
