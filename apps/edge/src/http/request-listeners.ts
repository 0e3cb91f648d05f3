import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** How HTTP requests and upgrades are served; as the listeners of a Node server. */
export interface RequestListeners {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Puts listeners in the place of those that a server has, and gives back these. */
export function stepBetween(http: Server, own: RequestListeners): RequestListeners {
  const take = (event: 'request' | 'upgrade') => {
    const listeners = http.listeners(event);
    http.removeAllListeners(event);
    return (...args: unknown[]) => {
      for (const listener of listeners) listener.apply(http, args);
    };
  };
  const local = { request: take('request'), upgrade: take('upgrade') };
  http.on('request', own.request);
  http.on('upgrade', own.upgrade);
  return local;
}
