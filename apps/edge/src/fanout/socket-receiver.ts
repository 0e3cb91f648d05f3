import type { EventReceiver } from './event-receiver.js';

/** What takes a socket's events. */
export interface SocketReceiver extends EventReceiver {
  /** Hides it from other edges, which get the rest of `socket.data` when they ask for the cluster's sockets. */
  toJSON(): undefined;
}
