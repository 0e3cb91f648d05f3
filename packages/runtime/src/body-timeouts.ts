import type { IncomingMessage, Server } from 'node:http';

/** Node's own code for a request that does not arrive in time. */
const TOO_LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * Ends requests whose bodies do not arrive in time, as Node does by `requestTimeout`, which knows no exceptions: the
 * server emits `clientError`, and without a listener for that the connection is closed.
 * @param timeoutMs from the end of the head on.
 */
export function limitBodyTime(server: Server, timeoutMs: number): void {
  server.prependListener('request', (request: IncomingMessage) => {
    if (!hasBody(request)) return;
    const timer = setTimeout(() => {
      if (request.complete || request.destroyed) return;
      const error = Object.assign(new Error('Request timeout'), { code: TOO_LATE });
      if (!server.emit('clientError', error, request.socket)) request.socket.destroy();
    }, timeoutMs).unref();
    timers.set(request, timer);
    request.once('end', () => clearTimeout(timer));
    request.once('close', () => clearTimeout(timer));
  });
}

/** Lets the body of a request take as long as it wants. The caller watches its progress. */
export function allowSlowBody(request: IncomingMessage): void {
  clearTimeout(timers.get(request));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
