import type { Server } from 'socket.io';
import { type Internal, isObject, memberOf } from './internal.js';

/** The parts used of ws's class of WebSockets for servers. */
interface ServerSocket {
  pong(data: unknown, ...more: unknown[]): void;
  close(code: number, reason: string): void;
}
export type ServerSocketClass = new (...args: unknown[]) => ServerSocket;

/**
 * The server of ws that Engine.IO makes, and makes again when its HTTP server listens.
 *
 * Why: the class of its WebSockets is replaced, see WEB_SOCKET_CLASS.
 * Removal: the same, or Engine.IO passes an option on to ws with the class to use.
 */
export const WS_SERVER: Internal = {
  library: 'engine.io',
  name: 'Server.ws',
  isThere: ({ io }) => isObject(memberOf(io.engine, 'ws')),
};

/**
 * The option of ws's server with the class of its WebSockets, whose `pong` answers the pings of clients.
 *
 * Why: a pong repeats its ping, of up to 125 bytes, so a damaged frame with an API key would be sent back.
 * Removal: ws takes a limit for the pings that it answers (docs/upstream.md, 26).
 */
export const WEB_SOCKET_CLASS: Internal = {
  library: 'ws',
  name: 'WebSocketServer.options.WebSocket',
  isThere: ({ io, connection }) => {
    const Base = memberOf(optionsOf(io), 'WebSocket');
    return isServerSocketClass(Base) && memberOf(connection.transport, 'socket') instanceof Base;
  },
};

/** Makes Engine.IO use a subclass for the WebSockets of its server, until that is made again. */
export function extendWebSockets(
  io: Pick<Server, 'engine'>,
  extend: (Base: ServerSocketClass) => ServerSocketClass,
): void {
  const options = optionsOf(io);
  const Base = memberOf(options, 'WebSocket');
  if (!isObject(options) || !isServerSocketClass(Base)) {
    throw new TypeError('the server of ws has no class for its WebSockets');
  }
  Reflect.set(options, 'WebSocket', extend(Base));
}

function optionsOf({ engine }: Pick<Server, 'engine'>): unknown {
  return memberOf(memberOf(engine, 'ws'), 'options');
}

function isServerSocketClass(value: unknown): value is ServerSocketClass {
  return typeof value === 'function' && ['pong', 'close'].every((name) => name in value.prototype);
}
