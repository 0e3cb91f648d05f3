import type { Fence } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { ClusterFixture, there } from './cluster-fixture.js';

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
export class EdgeFixture extends ClusterFixture {
  #worker: TestWorker | undefined;
  #shop: Fence | undefined;
  #kept: { close(): unknown }[] = [];
  #published = 0;

  override async start(count: number): Promise<void> {
    await super.start(count);
    this.#worker = await this.cluster.startWorker();
  }

  override async beginTest(): Promise<void> {
    await super.beginTest();
    this.#shop = await this.worker.own(this.tenant.tenantId, 'shop-1');
  }

  async endTest(): Promise<void> {
    for (const each of this.#kept.splice(0)) await each.close();
  }

  get worker(): TestWorker {
    return there(this.#worker);
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
