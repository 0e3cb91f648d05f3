import { WafleetError } from '@wafleet/contract';
import type { Metrics, Readiness } from '@wafleet/runtime';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { bearerToken } from '../auth/credentials.js';
import { SecretToken } from '../auth/secret-token.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';

interface HealthOptions {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Metrics;
  /** The token that `/metrics` takes as `Authorization: Bearer`; undefined for none. */
  readonly metricsToken: string | undefined;
  readonly connectionLimits: ConnectionLimits;
}

/**
 * `/healthz`: the process runs. `/readyz`: it can serve clients; 503 with a reason if it cannot. `/metrics`: its
 * metrics, in the text format of Prometheus. If there is a token, only requests with it get them.
 */
export const health: FastifyPluginAsync<HealthOptions> = async (
  app,
  { readiness, metrics, metricsToken, connectionLimits },
) => {
  const expected = metricsToken === undefined ? undefined : new SecretToken(metricsToken);
  const checkToken = ({ headers, raw }: FastifyRequest) => {
    if (expected === undefined) return;
    const address = connectionLimits.addressOf(raw);
    connectionLimits.checkRequest(address);
    if (expected.matches(bearerToken(headers) ?? '')) return;
    connectionLimits.wrongKeyOfRequest(address);
    throw new WafleetError('UNAUTHORIZED', 'This call takes "Authorization: Bearer <METRICS_TOKEN>".');
  };
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.get('/healthz', { schema: { hide: true } }, async () => ({ ok: true }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    checkToken(request);
    return reply.type(metrics.contentType).send(await metrics.text());
  });
};
