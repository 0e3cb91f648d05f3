import {
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
} from '@wafleet/store';
import { TestWorker, type TestWorkerOptions } from '@wafleet/store/testing';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { PlacementReason } from '../placement-request.js';
import { PlacementQueue, QUEUE_PREFIX } from '../queue.js';
import { connect, logger } from './connect.js';
import { Placing, type SweepIntervals } from './placing.js';

/** Placers see a change of a worker's load soon. */
const HEARTBEAT_MS = 100;

/** Sweeps far apart, so that a test sees what the queue alone does. The first ones come at once all the same. */
export const SELDOM = { 'watch-workers': 600_000, reconcile: 600_000, rebalance: 600_000 };

interface Running {
  readonly server: TestRedis;
  readonly redis: RedisConnection;
  readonly sessions: SessionDirectory;
  readonly ownership: Ownership;
}

/** Gives the tests of a file a scene, which is empty before each. */
export function useScene(): Scene {
  const scene = new Scene();
  beforeAll(() => scene.start());
  beforeEach(() => scene.open());
  afterEach(() => scene.close());
  afterAll(() => scene.stop());
  return scene;
}

/** A Redis, and for each test a tenant with the placers, workers and sessions that it asks for. */
class Scene {
  tenantId = '';
  workers: TestWorker[] = [];
  #running: Running | undefined;
  #placings: Placing[] = [];
  #connections: RedisConnection[] = [];

  async start(): Promise<void> {
    const server = await startRedis();
    const redis = connect(server.url, 'command');
    this.#running = {
      server,
      redis,
      sessions: new SessionDirectory(redis),
      ownership: new Ownership(redis),
    };
  }

  async stop(): Promise<void> {
    this.#running?.redis.disconnect();
    await this.#running?.server.stop();
  }

  get server(): TestRedis {
    return this.#parts.server;
  }

  get redis(): RedisConnection {
    return this.#parts.redis;
  }

  get sessions(): SessionDirectory {
    return this.#parts.sessions;
  }

  get ownership(): Ownership {
    return this.#parts.ownership;
  }

  /** Begins a test, with an empty Redis. */
  async open(): Promise<void> {
    await this.redis.flushall();
    this.tenantId = await this.createTenant('Acme');
  }

  /** Ends a test, with all that it started. */
  async close(): Promise<void> {
    await this.endPlacings();
    await Promise.all(this.workers.splice(0).map((worker) => worker.die()));
    for (const connection of this.#connections.splice(0)) connection.disconnect();
  }

  async createTenant(name: string): Promise<string> {
    const { id } = await new TenantDirectory(this.redis).create(name);
    return id;
  }

  async startPlacing(every?: SweepIntervals): Promise<Placing> {
    const placing = await Placing.start(this.server.url, every);
    this.#placings.push(placing);
    return placing;
  }

  async endPlacings(): Promise<void> {
    await Promise.all(this.#placings.splice(0).map((placing) => placing.stop()));
  }

  /** A queue that no placer listens to yet. */
  queueAlone(): PlacementQueue {
    return new PlacementQueue({ connection: this.#queueConnection(), logger });
  }

  /** Waits until sweeps of a kind have been done this many times from now on. */
  async sweepsDone(name: string, times: number): Promise<void> {
    const sweeps = new Queue('placement-sweeps', {
      connection: this.#queueConnection(),
      prefix: QUEUE_PREFIX,
    });
    const done = async () => {
      // The newest ones: each job that is read counts among the commands of Redis, which some tests count.
      const jobs = await sweeps.getCompleted(0, 9);
      return Math.max(0, ...jobs.filter((job) => job.name === name).map((job) => job.finishedOn ?? 0));
    };
    for (let time = 0; time < times; time += 1) {
      const before = await done();
      await waitFor(async () => (await done()) > before, { what: `a sweep "${name}"` });
    }
    await sweeps.close();
  }

  async startWorker(options: Omit<TestWorkerOptions, 'redisUrl'> = {}): Promise<TestWorker> {
    const redisUrl = this.server.url;
    const worker = await TestWorker.start({ redisUrl, heartbeatMs: HEARTBEAT_MS, ...options });
    this.workers.push(worker);
    return worker;
  }

  async end(how: 'crash' | 'die' | 'drain', worker: TestWorker): Promise<void> {
    this.workers = this.workers.filter((one) => one !== worker);
    await worker[how]();
  }

  async createSessions(count: number): Promise<SessionRef[]> {
    const { tenantId } = this;
    const refs = Array.from({ length: count }, (_, index) => ({ tenantId, sessionId: `session-${index}` }));
    await Promise.all(refs.map((ref) => this.sessions.create(ref)));
    return refs;
  }

  async createSession(sessionId = 'session'): Promise<SessionRef> {
    const ref = { tenantId: this.tenantId, sessionId };
    await this.sessions.create(ref);
    return ref;
  }

  ask(placing: Placing, ref: SessionRef, reason: PlacementReason = 'create'): Promise<void> {
    return placing.queue.enqueue({ ...ref, reason, avoid: [] });
  }

  ownerOf(ref: SessionRef): Promise<string | undefined> {
    return this.ownership.read(ref).then((owner) => owner?.worker);
  }

  ownedBy(worker: TestWorker, refs: readonly SessionRef[]): Promise<boolean> {
    const isOwned = async () => {
      const owners = await Promise.all(refs.map((ref) => this.ownerOf(ref)));
      // Redis shows the owner before the worker has the answer to its claim.
      const known = new Set(worker.fences.map(({ sessionId }) => sessionId));
      const isKnown = refs.every(({ sessionId }) => known.has(sessionId));
      return isKnown && owners.every((owner) => owner === worker.id);
    };
    return waitFor(isOwned, { what: 'the worker owns the sessions' });
  }

  /** Waits until the session is queued, with this reason. */
  shows(ref: SessionRef, reason: string): Promise<boolean> {
    return waitFor(
      async () => {
        const session = await this.sessions.get(ref);
        return session?.status === 'queued' && session.reason === reason;
      },
      { what: `the session shows "${reason}"` },
    );
  }

  get #parts(): Running {
    if (this.#running === undefined) throw new Error('the scene is there inside tests only');
    return this.#running;
  }

  #queueConnection(): RedisConnection {
    const connection = connect(this.server.url, 'queue');
    this.#connections.push(connection);
    return connection;
  }
}
