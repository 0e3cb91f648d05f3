import { type CloseReason, NAMESPACES } from '@wafleet/contract';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { Connection } from '../engine/connection.js';
import { isFrameTooLarge } from '../engine/frame-too-large.js';
import { onUpgrading } from '../engine/upgrades.js';
import { webSocketOf } from '../engine/web-socket.js';
import type { Backlog } from '../fanout/backlog.js';
import type { WriterLimits } from '../fanout/bounded-writer.js';
import type { BufferBudget, Lingering } from '../fanout/buffer-budget.js';
import { SocketWriter } from '../fanout/socket-writer.js';
import { WriteBatcher } from '../fanout/write-batcher.js';
import { BURST_S, type ClientLimits } from '../limits/client-limits.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { FrameLimit } from '../limits/frame-limit.js';
import { ClientConnection } from './client-connection.js';
import type { ConnectionTally } from './connection-tally.js';
import { type ClientResources, serveClient } from './event-client.js';
import type { EventServer, EventSocket } from './event-socket.js';
import { FrameGate } from './frame-gate.js';
import { checkApiKey } from './handshake.js';
import { releaseHandshake, releaseRequests } from './release-requests.js';
import { refuseRepeatedPolls } from './repeated-polls.js';
import { guardRequests } from './request-guard.js';
import { announce, findResumption, type Resumption } from './resumption.js';

interface GatewayResources extends ClientResources {
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly writerLimits: WriterLimits;
  /** What waits for all clients of the edge together. */
  readonly buffers: BufferBudget;
  readonly clientLimits: Pick<ClientLimits, 'framesPerSecond'>;
  readonly connectionLimits: ConnectionLimits;
  readonly tally: ConnectionTally;
}

/** Serves the contract on each of its namespaces alike: handshake, subscriptions, and missed events. */
export function serveEvents(io: EventServer, resources: GatewayResources): void {
  const { keys, connections, writerLimits, buffers, connectionLimits, turns, tally, records, logger } =
    resources;
  const { framesPerSecond } = resources.clientLimits;
  const frameBounds = {
    rate: { perSecond: framesPerSecond, burst: framesPerSecond * BURST_S },
    maxUnsentBytes: writerLimits.maxUnsentBytes,
  };
  const rounds = new WriteBatcher();
  const served = new Set<string>(NAMESPACES);
  const clients = new WeakMap<Connection, ClientConnection>();
  /** Kept apart from the socket's data, which other edges can ask for: it holds the client's secret. */
  const resumptions = new WeakMap<EventSocket, Resumption>();
  const clientOf = ({ conn }: EventSocket): ClientConnection => {
    const client = clients.get(conn);
    if (client === undefined) throw new Error('a socket without a connection');
    return client;
  };

  guardRequests(io, {
    ...{ connections: connectionLimits, keys, turns },
    onExceeded: (limit) => tally.countLimited(limit),
  });
  refuseRepeatedPolls(io);
  const onClosed = (reason: CloseReason) => {
    tally.countClosed(reason);
    if (reason === 'TOO_MANY_FRAMES') tally.countLimited('frames_per_socket');
  };
  const listeners = connectionListeners(clients, tally);
  io.engine.on('connection', (connection: Connection) => {
    clients.set(
      connection,
      new ClientConnection({
        ...{ connection, gate: new FrameGate(connection, served), frames: new FrameLimit(frameBounds) },
        ...{ address: connectionLimits.addressOf(connection.request), onClosed },
      }),
    );
    connection.on('packet', listeners.packet);
    connection.on('close', listeners.close);
    listeners.upgrade.call(connection);
    if (webSocketOf(connection) !== undefined) return;
    onUpgrading(connection, listeners.upgrading);
    connection.on('upgrade', listeners.upgrade);
  });
  releaseRequests(io);

  const onOverflow = (connection: Connection, backlog: Backlog, { isCut }: Lingering) => {
    const client = clients.get(connection);
    logger.warn({ keys: client?.keys, ...backlog }, 'closed a client that does not read its events');
    client?.close('SLOW_CLIENT', { isCut });
  };
  /** Called with its socket as `this`. Without it, Socket.IO writes what it cannot parse to the console. */
  function onError(this: EventSocket, error: Error): void {
    const { tenantId, keyId } = this.data.identity;
    logger.debug({ tenantId, keyId, err: error }, 'could not parse a packet of a client');
  }

  for (const name of NAMESPACES) {
    const namespace = io.of(name);
    const writing = { namespace: name, limits: writerLimits, rounds, tally: tally.written, onOverflow };
    const onRefused = (socket: EventSocket) => clientOf(socket).gate.refuse(name);
    const onPassed = async (socket: EventSocket) => {
      const resumption = await findResumption(records, socket.data.identity, socket.handshake.auth);
      resumptions.set(socket, resumption);
      announce(socket, resumption);
    };
    namespace.use(
      checkApiKey({ ...{ keys, turns, clientOf, logger, onPassed, onRefused }, limits: connectionLimits }),
    );
    namespace.on('connection', (socket) => {
      const { identity } = socket.data;
      const { keyId } = identity;
      const client = clientOf(socket);
      client.enter(name, identity);
      const close = (reason: CloseReason) => client.closeForKey(reason, keyId);
      if (keys.isRevoked(keyId)) {
        close('KEY_REVOKED');
        return;
      }
      const leave = connections.enter(identity, close);
      socket.on('error', onError);
      const writer = new SocketWriter(socket.conn, writing, buffers.of(identity.tenantId));
      const resumption = resumptions.get(socket);
      const end = resumption && serveClient(socket, { client, writer, resumption }, resources);
      releaseHandshake(socket);
      socket.on('disconnect', (reason) => {
        client.leave(name);
        leave();
        end?.(reason);
      });
      client.gate.accept(name);
    });
  }
}

/**
 * The listeners of a connection's own events. All connections share these functions, which are called with the
 * connection as `this`: closures for each would take as much memory as the rest of what is kept of it.
 */
function connectionListeners(clients: WeakMap<Connection, ClientConnection>, tally: ConnectionTally) {
  return {
    packet(this: Connection, packet: { readonly data?: unknown }): void {
      clients.get(this)?.countFrame(packet.data);
    },
    /** A probe of the transport that the connection is to be upgraded to. */
    upgrading(this: Connection): void {
      clients.get(this)?.countFrame();
    },
    upgrade(this: Connection): void {
      webSocketOf(this)?.on('ping', () => clients.get(this)?.countFrame());
    },
    close(this: Connection, _reason: string, error: unknown): void {
      clients.get(this)?.ended();
      if (isFrameTooLarge(error)) tally.countLimited('frame_size');
    },
  };
}
