import { randomBytes } from 'node:crypto';
import { runApp } from '@wafleet/runtime';
import { environment } from './env.js';
import { startEdge } from './server.js';

await runApp(
  {
    name: 'edge',
    description: 'serves REST and streams events to Socket.IO clients; any number of them may run.',
    environment,
  },
  async ({ environment: env, logger, lifecycle }) => {
    const edgeId = `edge_${randomBytes(6).toString('hex')}`;
    await startEdge({
      edgeId,
      redisUrl: env.REDIS_URL,
      host: env.HOST,
      port: env.PORT,
      adminToken: env.ADMIN_TOKEN,
      corsOrigin: env.CORS_ORIGIN,
      stopDelayMs: env.STOP_DELAY_MS,
      logger: logger.child({ edge: edgeId }),
      lifecycle,
    });
  },
);
