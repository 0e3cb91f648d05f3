import type { ResumeRecords, SessionDirectory } from '@wafleet/store';
import type { SocketWriter } from '../fanout/socket-writer.js';
import { ClientProgress } from '../streams/client-progress.js';
import type { StreamResources } from '../streams/event-stream.js';
import type { ResumeKeeper } from '../streams/resume-keeper.js';
import type { Resumption } from '../streams/resumption.js';
import { SocketStream } from '../streams/socket-stream.js';
import type { EventSocket } from './socket-server.js';
import { Subscriptions } from './subscriptions.js';

/** What every client of an edge is served with. */
export interface ClientResources extends StreamResources {
  readonly records: ResumeRecords;
  readonly keeper: ResumeKeeper;
  readonly sessions: SessionDirectory;
}

/** Disconnects after which a client does not go on with what it had. */
const FINAL = new Set(['client namespace disconnect', 'server namespace disconnect']);

/** Serves a socket that its namespace has accepted, until it disconnects. */
export function serveClient(
  socket: EventSocket,
  options: { writer: SocketWriter; resumption: Resumption; onFlooded: () => void },
  resources: ClientResources,
): void {
  const { streams, log, keeper, records, sessions, snapshots, logger } = resources;
  const { writer, resumption, onFlooded } = options;
  const { tenantId } = socket.data.identity;
  const stream = new SocketStream({ socket, writer, streams, log, snapshots, logger });
  const { ref } = resumption;
  const progress = new ClientProgress({ ref, stream, writer });
  socket.data.stream = stream;
  streams.enter(tenantId, stream);

  const onPacket = ({ type }: { type: string }) => {
    if (type === 'ping') progress.pinging();
  };
  const onPong = () => {
    if (progress.ponged()) keeper.note(progress);
    else keeper.keep(ref);
  };
  socket.conn.on('packetCreate', onPacket);
  socket.conn.on('heartbeat', onPong);
  const subscriptions = new Subscriptions({
    ...{ socket, stream, resumption, progress, records, sessions, snapshots, logger, onFlooded },
  });
  subscriptions.serve();

  socket.on('disconnect', (reason) => {
    streams.leave(tenantId, stream);
    writer.close();
    socket.conn.off('packetCreate', onPacket);
    socket.conn.off('heartbeat', onPong);
    if (!FINAL.has(reason)) return;
    keeper.forget(ref);
    subscriptions.discard();
  });
}
