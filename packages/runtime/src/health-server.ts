import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { GUARDED_SERVER, guardConnections } from './guarded-connections.js';
import type { Metrics } from './metrics.js';
import { listenError } from './start-error.js';

/** Whether a process can do its work now, and if not why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Many more than health checks and scrapes take. */
const MAX_CONNECTIONS = 256;

/**
 * Answers `GET /healthz` (200 while the process runs), `GET /readyz` (200, or 503 with a reason) and `GET /metrics`
 * (the text format of Prometheus).
 * @throws {StartError} if it cannot listen on the port.
 */
export async function startHealthServer(options: {
  host: string;
  port: number;
  readiness: () => Readiness | Promise<Readiness>;
  metrics: Metrics;
}): Promise<HealthServer> {
  const server = createServer(GUARDED_SERVER, async (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/healthz') return answer(200, { ok: true });
    if (request.url === '/readyz') {
      try {
        const readiness = await options.readiness();
        return answer(readiness.ready ? 200 : 503, readiness);
      } catch (error) {
        return answer(503, { ready: false, reason: error instanceof Error ? error.name : 'unknown' });
      }
    }
    if (request.url === '/metrics') {
      const text = await options.metrics.text().catch(() => undefined);
      if (text === undefined)
        return answer(500, { error: { code: 'INTERNAL', message: 'The metrics cannot be read.' } });
      response.writeHead(200, { 'content-type': options.metrics.contentType, 'cache-control': 'no-store' });
      return response.end(text);
    }
    return answer(404, {
      error: { code: 'ROUTE_NOT_FOUND', message: 'Only /healthz, /readyz and /metrics are here.' },
    });
  });
  guardConnections(server);
  keepNewest(server, MAX_CONNECTIONS);

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        listenError(error, {
          host: options.host,
          port: options.port,
          variable: 'HEALTH_PORT',
          hostVariable: 'HOST',
        }),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Cuts the oldest connection when there are too many: a health check is quick, and what stays for long is not one. */
function keepNewest(server: Server, max: number): void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const [oldest] = sockets;
    if (sockets.size <= max || oldest === undefined) return;
    sockets.delete(oldest);
    oldest.destroy();
  });
}
