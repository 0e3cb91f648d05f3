import { type CloseReason, NAMESPACES } from '@wafleet/contract';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { EventNamespace } from '../fanout/encoded-event.js';
import { FlushRounds } from '../fanout/flush-rounds.js';
import { SocketWriter, type WriterLimits } from '../fanout/socket-writer.js';
import { BURST_S, type ClientLimits } from '../limits/client-limits.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { limitFrames } from '../limits/frame-limit.js';
import type { EdgeTally } from '../metrics.js';
import { announce, findResumption, type Resumption } from '../streams/resumption.js';
import { closeConnection } from './close-connection.js';
import type { Connection } from './engine-internals.js';
import { type ClientResources, serveClient } from './event-client.js';
import { FrameGate } from './frame-gate.js';
import { checkApiKey } from './handshake.js';
import { guardRequests } from './request-guard.js';
import type { EventServer, EventSocket } from './socket-server.js';

interface GatewayResources extends ClientResources {
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly writerLimits: WriterLimits;
  readonly clientLimits: Pick<ClientLimits, 'framesPerSecond'>;
  readonly connectionLimits: ConnectionLimits;
  readonly tally: EdgeTally;
}

/** What is known of a connection as long as it is there. */
interface ConnectionState {
  readonly gate: FrameGate;
  readonly address: string;
  /** How often it has asked for a namespace. */
  handshakes: number;
  readonly namespaces: Set<EventNamespace>;
  readonly close: (reason: CloseReason) => void;
}

/** Serves the contract on each of its namespaces alike: handshake, subscriptions, and what a client missed. */
export function serveEvents(io: EventServer, resources: GatewayResources): void {
  const { keys, connections, writerLimits, connectionLimits, tally, records, logger } = resources;
  const { framesPerSecond } = resources.clientLimits;
  const frameRate = { perSecond: framesPerSecond, burst: framesPerSecond * BURST_S };
  const rounds = new FlushRounds();
  const served = new Set<string>(NAMESPACES);
  const states = new WeakMap<Connection, ConnectionState>();
  /** Not among the socket's data, which other edges can ask for: it holds the client's secret. */
  const resumptions = new WeakMap<EventSocket, Resumption>();
  const gateOf = ({ conn }: EventSocket) => states.get(conn)?.gate;

  guardRequests(io, { connections: connectionLimits, onExceeded: (limit) => tally.countLimited(limit) });
  io.engine.on('connection', (connection: Connection) => {
    const namespaces = new Set<EventNamespace>();
    const close = (reason: CloseReason) => {
      if (connection.readyState !== 'open') return;
      tally.countClosed(reason);
      if (reason === 'TOO_MANY_FRAMES') tally.countLimited('frames_per_socket');
      closeConnection(connection, reason, [...namespaces]);
    };
    limitFrames(connection, {
      rate: frameRate,
      maxUnsentBytes: writerLimits.maxUnsentBytes,
      onExceeded: close,
    });
    connection.once('close', (_reason: string, error: unknown) => {
      if (isFrameTooLarge(error)) tally.countLimited('frame_size');
    });
    states.set(connection, {
      gate: new FrameGate(connection, served),
      address: connectionLimits.addressOf(connection.request),
      handshakes: 0,
      namespaces,
      close,
    });
  });

  /** A connection was counted when it was made, and with it the first namespace that it asks for. */
  const addressOf = ({ conn }: EventSocket) => {
    const state = states.get(conn);
    if (state === undefined) throw new Error('a socket without a connection');
    state.handshakes += 1;
    return { address: state.address, isCounted: state.handshakes === 1 };
  };

  for (const name of NAMESPACES) {
    const namespace = io.of(name);
    const onRefused = (socket: EventSocket) => gateOf(socket)?.refuse(name);
    const onPassed = async (socket: EventSocket) => {
      const resumption = await findResumption(records, socket.data.identity, socket.handshake.auth);
      resumptions.set(socket, resumption);
      announce(socket, resumption);
    };
    namespace.use(checkApiKey({ keys, limits: connectionLimits, addressOf, logger, onPassed, onRefused }));
    namespace.on('connection', (socket) => {
      const { identity } = socket.data;
      const { keyId, tenantId } = identity;
      const close = (reason: CloseReason) => {
        tally.countClosed(reason);
        closeConnection(socket.conn, reason, [name]);
      };
      if (keys.isRevoked(keyId)) {
        close('KEY_REVOKED');
        return;
      }
      socket.once('disconnect', connections.enter(identity, close));
      const { namespaces } = states.get(socket.conn) ?? {};
      namespaces?.add(name);
      socket.once('disconnect', () => namespaces?.delete(name));
      // Without a listener Socket.IO writes what it could not read to the console.
      socket.on('error', (error) => logger.debug({ err: error, keyId }, 'a client sent what is no packet'));
      const writer = new SocketWriter({
        connection: socket.conn,
        namespace: name,
        limits: writerLimits,
        rounds,
        tally: tally.written,
        onOverflow: (backlog) => {
          tally.countClosed('SLOW_CLIENT');
          logger.warn({ keyId, tenantId, ...backlog }, 'closed a client that does not read its events');
        },
      });
      const resumption = resumptions.get(socket);
      const onFlooded = () => states.get(socket.conn)?.close('TOO_MANY_FRAMES');
      if (resumption !== undefined) serveClient(socket, { writer, resumption, onFlooded }, resources);
      gateOf(socket)?.accept(name);
    });
  }
}

/** Whether it is what ws says when it ends a connection whose client sent a frame over the limit. */
function isFrameTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Max payload size exceeded');
}
