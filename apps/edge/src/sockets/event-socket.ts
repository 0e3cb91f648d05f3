import type { ClientToServerEvents, ServerToClientEvents } from '@wafleet/contract';
import type { Server, Socket } from 'socket.io';
import type { Identity } from '../access/identity.js';
import type { SocketReceiver } from '../fanout/socket-receiver.js';

/** What edges send each other through the adapter. */
export interface ServerSideEvents {
  'key.revoked': (keyId: string) => void;
  /** The key ends at another time: ms since 1970, or null for never. */
  'key.changed': (keyId: string, expiresAt: number | null) => void;
}

/** What the edge knows of a socket that passed its handshake. */
interface SocketData {
  identity: Identity;
  /** Takes the events of the rooms that the socket is in. */
  stream: SocketReceiver;
}

export type EventServer = Server<ClientToServerEvents, ServerToClientEvents, ServerSideEvents, SocketData>;
export type EventSocket = Socket<ClientToServerEvents, ServerToClientEvents, ServerSideEvents, SocketData>;
