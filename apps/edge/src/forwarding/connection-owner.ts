import type { IncomingMessage } from 'node:http';
import { SOCKET_PATH } from '../engine/engine-options.js';
import { engineIdOf } from '../sockets/engine-id.js';
import type { EventServer } from '../sockets/event-socket.js';

const OWNED = /^([A-Za-z0-9_]{1,64})\.[A-Za-z0-9_-]{1,64}$/;

/**
 * Puts the name of the edge in front of the ids that Engine.IO gives its new sessions, so that every edge knows where a
 * request belongs. Only the session's client gets an id.
 */
export function nameSessionsAfter(edgeId: string, engine: EventServer['engine']): void {
  const unique = engine.generateId.bind(engine);
  engine.generateId = async (request) => `${edgeId}.${await unique(request)}`;
}

/**
 * The edge that has the Engine.IO session which a request names. Returns undefined if the request names none, or if the
 * id does not have our form. The sender of the request may have made the id up.
 */
export function sessionOwner({ url = '' }: Pick<IncomingMessage, 'url'>): string | undefined {
  if (!url.startsWith(SOCKET_PATH)) return undefined;
  const sid = engineIdOf(url);
  return sid === undefined ? undefined : OWNED.exec(sid)?.[1];
}
