import type { IncomingMessage } from 'node:http';
import { type EventServer, SOCKET_PATH } from '../sockets/socket-server.js';

const OWNED = /^([A-Za-z0-9_]{1,64})\.[A-Za-z0-9_-]{1,64}$/;

/**
 * Makes the ids of an edge's new Engine.IO sessions name the edge, in front of what Engine.IO itself would take, so
 * that every edge knows where a request belongs. An id goes to its client only.
 */
export function nameSessionsAfter(edgeId: string, engine: EventServer['engine']): void {
  const unique = engine.generateId.bind(engine);
  engine.generateId = async (request) => `${edgeId}.${await unique(request)}`;
}

/**
 * The edge that has the Engine.IO session which a request names; undefined for a request that names none, or one in
 * no form of ours. Whoever sent the request may have made the name up.
 */
export function sessionOwner({ url = '' }: Pick<IncomingMessage, 'url'>): string | undefined {
  if (!url.startsWith(SOCKET_PATH)) return undefined;
  const query = url.indexOf('?');
  // As Engine.IO does, which takes the last one of several.
  const sid = query < 0 ? undefined : new URLSearchParams(url.slice(query)).getAll('sid').at(-1);
  return sid === undefined ? undefined : OWNED.exec(sid)?.[1];
}
