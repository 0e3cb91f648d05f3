import type { Server } from 'socket.io';
import type { Connection } from './connection.js';
import { type Internal, isObject, memberOf } from './internal.js';
import { ProbeClient } from './probe-client.js';

/**
 * The connections of a server, by their ids.
 *
 * Why: a poll that a load balancer sends a second time is recognized by the connection that it names.
 * Removal: Engine.IO gives its middleware the connection of a request.
 */
export const CLIENTS: Internal = {
  library: 'engine.io',
  name: 'Server.clients',
  isThere: ({ io, connection, id }) =>
    isObject(memberOf(io.engine, 'clients')) && connectionOf(io, id) === connection,
};

/**
 * Of several `sid` in the query of a request, the last one counts.
 *
 * Why: the edge reads the id as well, to forward a request to the edge that has its connection and to count new ones.
 * A request that means one connection here and another one there would get past the limits.
 * Removal: Engine.IO refuses a request with several, or gives its middleware the id.
 */
export const LAST_SID: Internal = {
  library: 'engine.io',
  name: 'the last sid of a query, as the one that counts',
  isThere: async ({ http, id }) => {
    const answer = await ProbeClient.get(http, `EIO=4&transport=polling&sid=none&sid=${id}`);
    // The connection is known, and has another transport. Code 1 would be that it is unknown.
    return answer.includes('"code":3');
  },
};

/**
 * The listeners that Engine.IO adds to an HTTP server as soon as it is attached.
 *
 * Why: limits, forwarding to other edges and the containment of errors stand before them (`stepBetween`).
 * Removal: Engine.IO can be attached without listeners, and its `handleRequest` and `handleUpgrade` are called.
 */
export const HTTP_LISTENERS: Internal = {
  library: 'engine.io',
  name: 'the listeners for request and upgrade that Server.attach adds',
  isThere: ({ http }) => http.listenerCount('request') > 0 && http.listenerCount('upgrade') > 0,
};

/** The connection with this id; undefined if there is none. */
export function connectionOf({ engine }: Pick<Server, 'engine'>, id: string): Connection | undefined {
  const clients: Readonly<Record<string, Connection>> = Reflect.get(engine, 'clients');
  return Object.hasOwn(clients, id) ? clients[id] : undefined;
}
