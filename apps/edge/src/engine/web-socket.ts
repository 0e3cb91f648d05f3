import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Connection } from './connection.js';
import { type Internal, isObject, memberOf } from './internal.js';

/** The parts used of a connection's WebSocket. `ping` is a ping of the client, which ws answers at once. */
export interface RawWebSocket
  extends Pick<WebSocket, 'bufferedAmount' | 'send' | 'close' | 'terminate' | 'on'> {
  /** The TCP connection; null before it is open. */
  readonly _socket: Writable | null;
}

/**
 * The WebSocket of a transport.
 *
 * Why: a close frame with a code and a reason, pings of clients, and the bytes that wait are on no other object.
 * Removal: Engine.IO closes with a code and a reason, and gives its `wsEngine` or its sockets access to the rest.
 */
export const TRANSPORT_SOCKET: Internal = {
  library: 'engine.io',
  name: 'WebSocket.socket',
  isThere: ({ connection }) => isWebSocket(memberOf(connection.transport, 'socket')),
};

/**
 * The connection under a WebSocket.
 *
 * Why: frames that are ready are written to it without the work that ws and Engine.IO do for each packet, a tenth of
 * what an event costs; and its end shows when the bytes of a slow client are gone.
 * Removal: ws can write a whole frame (it has `Sender.frame` to make one), and reports when its connection has ended.
 */
export const TCP_SOCKET: Internal = {
  library: 'ws',
  name: 'WebSocket._socket',
  isThere: ({ connection }) =>
    typeof memberOf(memberOf(memberOf(connection.transport, 'socket'), '_socket'), 'write') === 'function',
};

/** The WebSocket of a connection, if that is its transport. After an upgrade, a connection stays with it. */
export function webSocketOf({ transport }: Connection): RawWebSocket | undefined {
  if (transport.name !== 'websocket') return undefined;
  const socket: unknown = Reflect.get(transport, 'socket');
  if (!isWebSocket(socket)) throw new TypeError('a WebSocket transport of Engine.IO has no socket');
  return socket;
}

/** Calls a listener when a connection has ended, for a WebSocket with all that its TCP connection had to send. */
export function onceEnded(connection: Connection, listener: () => void): void {
  const tcp = webSocketOf(connection)?._socket;
  if (tcp) tcp.once('close', listener);
  else connection.once('close', listener);
}

function isWebSocket(value: unknown): value is RawWebSocket {
  return isObject(value) && 'bufferedAmount' in value && '_socket' in value;
}
