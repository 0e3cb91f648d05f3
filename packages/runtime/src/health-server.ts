import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';
import { listenError } from './start-error.js';

/** Whether a process can do its work now, and if not why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers `GET /healthz` (200 while the process runs), `GET /readyz` (200, or 503 with a reason) and `GET /metrics`
 * (the text format of Prometheus).
 * @throws {StartError} when the port cannot be had.
 */
export async function startHealthServer(options: {
  host: string;
  port: number;
  readiness: () => Readiness | Promise<Readiness>;
  metrics: Metrics;
}): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
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
      const text = await options.metrics.text();
      response.writeHead(200, { 'content-type': options.metrics.contentType, 'cache-control': 'no-store' });
      return response.end(text);
    }
    return answer(404, {
      error: { code: 'ROUTE_NOT_FOUND', message: 'Only /healthz, /readyz and /metrics are here.' },
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(listenError(error, { host: options.host, port: options.port, variable: 'HEALTH_PORT' })),
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
