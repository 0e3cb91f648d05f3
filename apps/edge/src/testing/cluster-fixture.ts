import type { WafleetClient } from '@wafleet/client';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Answer, sendRequest } from './raw-request.js';
import { TestCluster, type TestTenant } from './test-cluster.js';
import type { TestEdge, TestEdgeOptions } from './test-edge.js';

export type EdgeOptions = Omit<TestEdgeOptions, 'redisUrl'>;

interface Running {
  readonly cluster: TestCluster;
  readonly edges: readonly TestEdge[];
}

/** Gives the tests of a file a cluster with an edge, and each of them a tenant of its own. */
export function useCluster(options: EdgeOptions = {}): ClusterFixture {
  const fixture = new ClusterFixture();
  beforeAll(() => fixture.start(1, options));
  beforeEach(() => fixture.beginTest());
  afterAll(() => fixture.stop());
  return fixture;
}

/** Edges and a tenant. Available inside tests only. */
export class ClusterFixture {
  #running: Running | undefined;
  #tenant: TestTenant | undefined;

  async start(count: number, options: EdgeOptions = {}): Promise<void> {
    const cluster = await TestCluster.start();
    const edges: TestEdge[] = [];
    this.#running = { cluster, edges };
    while (edges.length < count) edges.push(await cluster.startEdge(options));
  }

  async beginTest(): Promise<void> {
    await this.nextTenant();
  }

  async stop(): Promise<void> {
    await this.#running?.cluster.stop();
  }

  get cluster(): TestCluster {
    return there(this.#running).cluster;
  }

  get edges(): readonly TestEdge[] {
    return there(this.#running).edges;
  }

  /** The first edge. */
  get edge(): TestEdge {
    return there(this.edges[0]);
  }

  /** The second edge. */
  get otherEdge(): TestEdge {
    return there(this.edges[1]);
  }

  get tenant(): TestTenant {
    return there(this.#tenant);
  }

  /** The tenant's calls, through the first edge. */
  get client(): WafleetClient {
    return this.edge.client(this.tenant.key);
  }

  /** The administrator's calls, through the first edge. */
  get admin(): WafleetClient {
    return this.edge.admin;
  }

  /** From now on the fixture's tenant is a new one. */
  async nextTenant(): Promise<void> {
    this.#tenant = await this.cluster.createTenant();
  }

  /** Sends a request to an edge with the tenant's key, valid or not. Default of `edge`: the first one. */
  send(request: string, body?: unknown, edge = this.edge): Promise<Answer> {
    return sendRequest(edge.url, request, { key: this.tenant.key, body });
  }
}

/** @throws {Error} outside of tests. */
export function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the fixture has it inside tests only');
  return thing;
}
