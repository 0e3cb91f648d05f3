import { offPacketCreate, offPong, onPacketCreate, onPong } from '../engine/packets.js';
import type { SocketWriter } from '../fanout/socket-writer.js';
import type { ResumeCheckpointer } from '../streams/resume-checkpointer.js';
import type { ClientConnection } from './client-connection.js';
import { ClientProgress } from './client-progress.js';
import type { EventSocket } from './event-socket.js';
import type { Resumption } from './resumption.js';
import { SocketStream } from './socket-stream.js';
import { type SubscriptionResources, Subscriptions } from './subscriptions.js';

/** What every client of an edge is served with. */
export interface ClientResources extends SubscriptionResources {
  readonly keeper: ResumeCheckpointer;
}

/** Reasons of a disconnect after which a client does not resume what it had. */
const FINAL = new Set(['client namespace disconnect', 'server namespace disconnect']);

/**
 * Serves a socket that its namespace has accepted.
 * @returns the function to call when it has disconnected, with Socket.IO's reason.
 */
export function serveClient(
  socket: EventSocket,
  options: { client: ClientConnection; writer: SocketWriter; resumption: Resumption },
  resources: ClientResources,
): (reason: string) => void {
  const { streams, keeper } = resources;
  const { client, writer, resumption } = options;
  const { tenantId } = socket.data.identity;
  const stream = new SocketStream({ socket, writer, resources });
  const { ref } = resumption;
  const progress = new ClientProgress({ ref, stream, writer });
  socket.data.stream = stream;
  streams.enter(tenantId, stream);

  const onPacket = ({ type }: { type: string }) => {
    if (type === 'ping') progress.pinging();
  };
  const onHeartbeat = () => {
    if (progress.ponged()) keeper.note(progress);
    else keeper.keep(ref);
  };
  onPacketCreate(socket.conn, onPacket);
  onPong(socket.conn, onHeartbeat);
  const subscriptions = new Subscriptions({ socket, client, stream, resumption, progress, resources });
  subscriptions.serve();

  return (reason) => {
    subscriptions.leave();
    stream.close();
    streams.leave(tenantId, stream);
    writer.close();
    offPacketCreate(socket.conn, onPacket);
    offPong(socket.conn, onHeartbeat);
    if (!FINAL.has(reason)) return;
    keeper.forget(ref);
    subscriptions.discard();
  };
}
