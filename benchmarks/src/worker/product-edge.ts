import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApiKeys, type RedisConnection } from '@wafleet/store';
import { AppProcess, freePort } from '@wafleet/testkit';
import type { Cores } from '../harness/cores.js';
import { describeAnswer, RestCaller } from '../harness/rest-caller.js';

const EDGE = fileURLToPath(new URL('../../../apps/edge/dist/main.js', import.meta.url));
/** As many calls as may be under way at a time. */
const CONNECTIONS = 50;

/** An edge as in a deployment, called by an API key of the product's tenant. */
export class ProductEdge {
  readonly #process: AppProcess;
  readonly #caller: RestCaller;

  static async start(options: {
    redis: RedisConnection;
    redisUrl: string;
    tenantId: string;
    cores: Cores;
  }): Promise<ProductEdge> {
    const { redis, redisUrl, tenantId, cores } = options;
    const port = await freePort();
    const process = await AppProcess.start({
      name: 'edge',
      entry: EDGE,
      launcher: cores.launcher,
      environment: {
        REDIS_URL: redisUrl,
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_TOKEN: randomBytes(16).toString('hex'),
      },
      readyUrl: `http://127.0.0.1:${port}/readyz`,
    });
    const { key: apiKey } = await new ApiKeys(redis).create(tenantId);
    return new ProductEdge(process, new RestCaller({ port, apiKey, connections: CONNECTIONS }));
  }

  private constructor(process: AppProcess, caller: RestCaller) {
    this.#process = process;
    this.#caller = caller;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Sends a text. Resolves when WhatsApp has acknowledged it. Rejects on any other answer. */
  async send(message: {
    sessionId: string;
    to: string;
    text: string;
    idempotencyKey?: string;
  }): Promise<void> {
    const { sessionId, idempotencyKey, ...body } = message;
    const answer = await this.#caller.call({
      method: 'POST',
      path: `/api/sessions/${sessionId}/messages`,
      body,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    if (answer.status !== 200) throw new Error(`a send was answered ${describeAnswer(answer)}`);
  }

  async stop(): Promise<void> {
    this.#caller.close();
    await this.#process.kill();
  }
}
