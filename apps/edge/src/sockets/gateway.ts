import { keyRoom, NAMESPACES } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory } from '@wafleet/store';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { TenantFeeds } from '../fanout/tenant-feeds.js';
import { type Connection, FrameGate } from './frame-gate.js';
import { checkApiKey } from './handshake.js';
import type { EventServer, EventSocket } from './socket-server.js';
import { serveSubscriptions } from './subscriptions.js';

interface GatewayResources {
  readonly keys: KeyAuthenticator;
  readonly sessions: SessionDirectory;
  readonly feeds: TenantFeeds;
  readonly logger: Logger;
}

/** Serves the contract on each of its namespaces alike: handshake, subscriptions, and the tenant's feed. */
export function serveEvents(io: EventServer, resources: GatewayResources): void {
  const { keys, feeds, logger } = resources;
  const served = new Set<string>(NAMESPACES);
  const gates = new WeakMap<Connection, FrameGate>();
  const gateOf = ({ conn }: EventSocket) => gates.get(conn);

  io.engine.on('connection', (connection: Connection) => {
    gates.set(connection, new FrameGate(connection, served));
  });

  for (const name of NAMESPACES) {
    const namespace = io.of(name);
    namespace.use(checkApiKey({ keys, logger, onRefused: (socket) => gateOf(socket)?.refuse(name) }));
    namespace.on('connection', (socket) => {
      const { keyId, tenantId } = socket.data.identity;
      void socket.join(keyRoom(keyId));
      if (keys.isRevoked(keyId)) {
        socket.disconnect(true);
        return;
      }
      // Without a listener Socket.IO writes what it could not read to the console.
      socket.on('error', (error) => logger.debug({ err: error, keyId }, 'a client sent what is no packet'));
      feeds.enter(tenantId);
      socket.once('disconnect', () => feeds.leave(tenantId));
      serveSubscriptions(socket, resources);
      gateOf(socket)?.accept(name);
    });
  }
}
