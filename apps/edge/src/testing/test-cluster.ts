import { createLogger } from '@wafleet/runtime';
import {
  ApiKeys,
  connectRedis,
  type NewApiKey,
  type RedisConnection,
  SessionDirectory,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { startTestEdge, type TestEdge, type TestEdgeOptions } from './test-edge.js';
import { type Handle, TestWorker } from './test-worker.js';

/** A tenant with an API key. */
export interface TestTenant {
  readonly tenantId: string;
  readonly keyId: string;
  readonly key: string;
}

/** A Redis with edges in this process, and workers that carry out what a test says. */
export class TestCluster {
  readonly redis: TestRedis;
  readonly connection: RedisConnection;
  readonly sessions: SessionDirectory;
  readonly #logger = createLogger({ app: 'test', level: 'silent' });
  readonly #running: { stop(): Promise<void> }[] = [];

  static async start(): Promise<TestCluster> {
    return new TestCluster(await startRedis());
  }

  private constructor(redis: TestRedis) {
    this.redis = redis;
    this.connection = connectRedis({ url: redis.url, role: 'command', name: 'test', logger: this.#logger });
    this.sessions = new SessionDirectory(this.connection);
  }

  async startEdge(options: Omit<TestEdgeOptions, 'redisUrl'> = {}): Promise<TestEdge> {
    const edge = await startTestEdge({ redisUrl: this.redis.url, ...options });
    this.#running.push(edge);
    return edge;
  }

  async startWorker(handle?: Handle): Promise<TestWorker> {
    const worker = await TestWorker.start({ redisUrl: this.redis.url, logger: this.#logger, handle });
    this.#running.push(worker);
    return worker;
  }

  async createTenant(name = 'a tenant'): Promise<TestTenant> {
    const { id: tenantId } = await new TenantDirectory(this.connection).create(name);
    return this.createKey(tenantId);
  }

  /** Another API key of a tenant. */
  async createKey(tenantId: string, options: NewApiKey = {}): Promise<TestTenant> {
    const { id: keyId, key } = await new ApiKeys(this.connection).create(tenantId, options);
    return { tenantId, keyId, key };
  }

  async stop(): Promise<void> {
    for (const running of this.#running.toReversed()) await running.stop();
    this.connection.disconnect();
    await this.redis.stop();
  }
}
