import type { Metrics, Readiness } from '@wafleet/runtime';
import type { FastifyPluginAsync } from 'fastify';

interface HealthOptions {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Metrics;
}

/**
 * `/healthz`: the process runs. `/readyz`: it can serve clients; 503 with a reason when it cannot. `/metrics`: what it
 * counts, in the text format of Prometheus.
 */
export const health: FastifyPluginAsync<HealthOptions> = async (app, { readiness, metrics }) => {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.get('/healthz', { schema: { hide: true } }, async () => ({ ok: true }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
};
