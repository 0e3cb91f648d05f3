import { createLogger, Lifecycle, type Logger } from '@wafleet/runtime';
import { startEdge } from '../server.js';

export const ADMIN_TOKEN = 'admin-token-of-a-test';

/** An edge that runs in the test's own process. */
export interface TestEdge {
  readonly url: string;
  stop(): Promise<void>;
}

interface TestEdgeOptions {
  readonly redisUrl: string;
  readonly corsOrigin?: string;
  readonly logger?: Logger;
}

let started = 0;

export async function startTestEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const { redisUrl, corsOrigin = '*', logger = createLogger({ app: 'edge', level: 'silent' }) } = options;
  const lifecycle = new Lifecycle(logger);
  started += 1;
  const { port } = await startEdge({
    edgeId: `edge_test_${started}`,
    redisUrl,
    host: '127.0.0.1',
    port: 0,
    adminToken: ADMIN_TOKEN,
    corsOrigin,
    stopDelayMs: 0,
    logger,
    lifecycle,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      if (!(await lifecycle.stop())) throw new Error('the edge did not stop well');
    },
  };
}
