import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The listeners of a Node server for HTTP requests and upgrades. */
export interface RequestListeners {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Replaces the listeners of a server, and returns the ones that it had. */
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
