import type { Socket } from 'socket.io';
import type { Connection } from './connection.js';
import { type Internal, isReplaceable, memberOf } from './internal.js';

/**
 * The request that a connection was opened with.
 *
 * Why: it is kept as long as the connection, takes more than a kilobyte, and has the API key in its headers.
 * Removal: Engine.IO forgets the request of a WebSocket once it is open.
 */
export const CONNECTION_REQUEST: Internal = {
  library: 'engine.io',
  name: 'Socket.request',
  isThere: ({ connection, request }) =>
    connection.request === request && isReplaceable(connection, 'request'),
};

/**
 * The request of the object that stands for the answer to an upgrade.
 *
 * Why: Engine.IO keeps that object as long as the connection, and so the request a second time.
 * Removal: Engine.IO keeps neither.
 */
export const ANSWER_REQUEST: Internal = {
  library: 'engine.io',
  name: 'WebSocketResponse.req',
  isThere: ({ answer, request }) => memberOf(answer, 'req') === request,
};

/**
 * What a socket knows of the request that it was opened with, the API key included.
 *
 * Why: it is kept as long as the socket, and given to other edges that ask for the cluster's sockets.
 * Removal: Socket.IO forgets it, or has a way to.
 */
export const HANDSHAKE: Internal = {
  library: 'socket.io',
  name: 'Socket.handshake',
  isThere: async (probe) => {
    const socket = await probe.join();
    return Object.hasOwn(socket, 'handshake') && isReplaceable(socket, 'handshake');
  },
};

/** Replaces what a connection keeps of the request that it was opened with. */
export function replaceRequest(connection: Connection, rest: object): void {
  Reflect.set(connection, 'request', rest);
}

/** Makes the answer to an upgrade, as middleware gets it, forget its request. */
export function forgetRequest(answer: object): void {
  Reflect.set(answer, 'req', undefined);
}

/** Replaces what a socket keeps of the request that it was opened with. */
export function replaceHandshake(socket: Pick<Socket, 'handshake'>, handshake: Socket['handshake']): void {
  Reflect.set(socket, 'handshake', handshake);
}
