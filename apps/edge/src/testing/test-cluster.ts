import { createLogger } from '@wafleet/runtime';
import {
  ApiKeys,
  connectRedis,
  type NewApiKey,
  type RedisConnection,
  SessionDirectory,
  TenantDirectory,
} from '@wafleet/store';
import { type Handle, TestWorker, type TestWorkerOptions } from '@wafleet/store/testing';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { startTestEdge, type TestEdge, type TestEdgeOptions } from './test-edge.js';

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
  /** What ends the edges and workers. */
  readonly #ends: (() => Promise<void>)[] = [];

  static async start(): Promise<TestCluster> {
    return new TestCluster(await startRedis());
  }

  private constructor(redis: TestRedis) {
    this.redis = redis;
    const logger = createLogger({ app: 'test', level: 'silent' });
    this.connection = connectRedis({ url: redis.url, role: 'command', name: 'test', logger });
    this.sessions = new SessionDirectory(this.connection);
  }

  async startEdge(options: Omit<TestEdgeOptions, 'redisUrl'> = {}): Promise<TestEdge> {
    const edge = await startTestEdge({ redisUrl: this.redis.url, ...options });
    this.#ends.push(() => edge.stop());
    return edge;
  }

  async startWorker(
    handle?: Handle,
    options: Pick<TestWorkerOptions, 'features' | 'heartbeatMs'> = {},
  ): Promise<TestWorker> {
    const worker = await TestWorker.start({ redisUrl: this.redis.url, handle, ...options });
    this.#ends.push(() => worker.die());
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
    for (const end of this.#ends.toReversed()) await end();
    this.connection.disconnect();
    await this.redis.stop();
  }
}
