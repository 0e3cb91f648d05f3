import type { Fence } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { TestCluster, type TestTenant } from './test-cluster.js';
import type { TestEdge } from './test-edge.js';

interface Running {
  readonly cluster: TestCluster;
  readonly edges: readonly TestEdge[];
  readonly worker: TestWorker;
}

/** Gives the tests of a file a cluster with `count` edges, and each of them a tenant of its own. */
export function useEdges(count = 1): EdgeFixture {
  const fixture = new EdgeFixture();
  beforeAll(() => fixture.start(count));
  beforeEach(() => fixture.beginTest());
  afterEach(() => fixture.endTest());
  afterAll(() => fixture.stop());
  return fixture;
}

/** Edges, a worker, and a tenant with the session `shop-1`, which the worker owns. Available inside tests only. */
export class EdgeFixture {
  #running: Running | undefined;
  #tenant: TestTenant | undefined;
  #shop: Fence | undefined;
  #kept: { close(): unknown }[] = [];
  #published = 0;

  async start(count: number): Promise<void> {
    const cluster = await TestCluster.start();
    const edges: TestEdge[] = [];
    while (edges.length < count) edges.push(await cluster.startEdge());
    this.#running = { cluster, edges, worker: await cluster.startWorker() };
  }

  async beginTest(): Promise<void> {
    this.#tenant = await this.cluster.createTenant();
    this.#shop = await this.worker.own(this.tenant.tenantId, 'shop-1');
  }

  async endTest(): Promise<void> {
    for (const each of this.#kept.splice(0)) await each.close();
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

  get worker(): TestWorker {
    return there(this.#running).worker;
  }

  get tenant(): TestTenant {
    return there(this.#tenant);
  }

  /** The session `shop-1`. */
  get shop(): Fence {
    return there(this.#shop);
  }

  /** Closes something after the test. */
  keep<T extends { close(): unknown }>(thing: T): T {
    this.#kept.push(thing);
    return thing;
  }

  /** Publishes a `presence.update` for each of `count` ids that were never used before, and resolves with the ids. */
  async publish(count = 1, of = this.shop): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `${this.#published + index + 1}@lid`);
    this.#published += count;
    for (const id of ids) await this.worker.publish(of, 'presence.update', { id, presences: {} });
    return ids;
  }
}

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the fixture has it inside tests only');
  return thing;
}
