import { randomUUID } from 'node:crypto';
import type { CommandReply, EventName, UnpublishedPayload } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import { CommandServer } from '../commands/command-server.js';
import { NotOwnerError, type WorkerCommand } from '../commands/worker-command.js';
import { EventLog } from '../events/event-log.js';
import { connectRedis, type RedisConnection, type RedisRole } from '../redis/connection.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import { LinkOffers } from '../sessions/link-offers.js';
import { Ownership } from '../sessions/ownership.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { Lifeline } from '../workers/lifeline.js';
import { LEASE_MS, WORKER_FEATURES, type WorkerFeature, WorkerRegistry } from '../workers/worker-registry.js';

const logger = createLogger({ app: 'test-worker', level: 'silent' });

/** Number of sessions that a heartbeat names as the longest idle ones. */
const IDLEST = 5;

/** Executes a command of a worker. */
export type Handle = (command: WorkerCommand, worker: TestWorker) => Promise<CommandReply>;

export interface TestWorkerOptions {
  readonly redisUrl: string;
  /** Default: `executeCommand`. */
  readonly handle?: Handle | undefined;
  /** Maximum number of assigned sessions. Default: 100. */
  readonly capacity?: number | undefined;
  /** Default: `1.0.0`. */
  readonly release?: string | undefined;
  /** Time between two heartbeats in ms. Default: a fifth of a lease. */
  readonly heartbeatMs?: number | undefined;
  /** What its heartbeats say that it can do. Default: all that a worker can. */
  readonly features?: readonly WorkerFeature[];
}

type OwnFields<N extends EventName> =
  UnpublishedPayload<N> extends infer P
    ? P extends unknown
      ? Omit<P, 'sessionId' | 'timestamp'>
      : never
    : never;

/** Takes and releases sessions as a real worker does, and replies to any other command with an empty object. */
export const executeCommand: Handle = async (command, worker) => {
  if (command.kind === 'release') await worker.release(worker.fenceOf(command));
  if (command.kind !== 'assign') return {};
  await worker.acceptAssignment(command, command.expectPrevious);
  return { sessions: worker.fences.length };
};

/**
 * A worker as the rest of the cluster sees one: lease, lifeline, heartbeat, inbox, ownership and event log are the real
 * ones; WhatsApp is missing.
 */
export class TestWorker {
  readonly id = `wrk_${randomUUID()}`;
  /** The commands that reached it. */
  readonly received: WorkerCommand[] = [];
  readonly sessions: SessionDirectory;
  readonly offers: LinkOffers;
  /** Executes its commands. A test may replace it. */
  handle: Handle;
  readonly #options: TestWorkerOptions;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #ownership: Ownership;
  readonly #log: EventLog;
  readonly #lifeline: Lifeline;
  readonly #server: CommandServer;
  readonly #fences = new Map<string, Fence>();
  #isDraining = false;
  #claiming = 0;
  #beating: NodeJS.Timeout | undefined;
  #lastBeat: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  /** Resolves once placers see the worker. */
  static async start(options: TestWorkerOptions): Promise<TestWorker> {
    const worker = new TestWorker(options);
    await worker.#registry.acquireLease(worker.id);
    await waitFor(() => worker.#lifeline.token, { what: 'the lifeline open' });
    await worker.beat();
    worker.#beating = setInterval(() => worker.#tryBeat(), options.heartbeatMs ?? LEASE_MS / 5);
    worker.#server.start();
    return worker;
  }

  private constructor(options: TestWorkerOptions) {
    const connect = (role: RedisRole) =>
      connectRedis({ url: options.redisUrl, role, name: `${this.id}:${role}`, logger });
    this.#options = options;
    this.handle = options.handle ?? executeCommand;
    this.#redis = connect('command');
    this.#registry = new WorkerRegistry(this.#redis);
    this.#ownership = new Ownership(this.#redis);
    this.#log = new EventLog(this.#redis);
    this.sessions = new SessionDirectory(this.#redis);
    this.offers = new LinkOffers(this.#redis);
    this.#lifeline = new Lifeline({
      connection: connect('lifeline'),
      logger,
      onOpen: () => this.#tryBeat(),
    });
    this.#server = new CommandServer({
      redis: this.#redis,
      blocking: connect('blocking'),
      workerId: this.id,
      handle: (command) => {
        this.received.push(command);
        return this.handle(command, this);
      },
      logger,
    });
  }

  /** The sessions that it has claimed and not released, in the order of the claims. */
  get fences(): readonly Fence[] {
    return [...this.#fences.values()];
  }

  /** @throws {NotOwnerError} if it has not claimed the session. */
  fenceOf(ref: SessionRef): Fence {
    const fence = this.#fences.get(keyOf(ref));
    if (fence === undefined) throw new NotOwnerError(ref);
    return fence;
  }

  /** Creates a session of the tenant and claims it. */
  async own(tenantId: string, sessionId: string): Promise<Fence> {
    await this.sessions.create({ tenantId, sessionId });
    return this.claim({ tenantId, sessionId });
  }

  /** Rejects with a NotOwnerError if another worker keeps the session. */
  async claim(
    ref: SessionRef,
    { expectPrevious }: { expectPrevious?: string | undefined } = {},
  ): Promise<Fence> {
    const claimed = await this.#ownership.claim(ref, { worker: this.id, expectPrevious });
    if (!('fence' in claimed)) throw new NotOwnerError(ref);
    this.#fences.set(keyOf(ref), claimed.fence);
    return claimed.fence;
  }

  /** Claims a session and opens it. */
  async open(ref: SessionRef, expectPrevious?: string): Promise<void> {
    const fence = await this.claim(ref, { expectPrevious });
    await this.sessions.setStatus(fence, { status: 'open' });
  }

  /** Opens a session that a placer assigned. Rejects if the worker is full. */
  async acceptAssignment(ref: SessionRef, expectPrevious?: string): Promise<void> {
    // The placer may have seen an old heartbeat. A real worker refuses then, too.
    if (this.#fences.size + this.#claiming >= this.#capacity) throw new Error('this worker is full');
    this.#claiming += 1;
    try {
      await this.open(ref, expectPrevious);
    } finally {
      this.#claiming -= 1;
    }
  }

  async release(fence: Fence): Promise<void> {
    await this.#ownership.release(fence);
    this.#fences.delete(keyOf(fence));
  }

  /** Appends an event of the session to its tenant's log, which publishes it. */
  async publish<N extends EventName>(fence: Fence, event: N, fields: OwnFields<N>): Promise<void> {
    const envelope = { sessionId: fence.sessionId, timestamp: new Date().toISOString() };
    await this.#log.append(fence, [{ event, body: JSON.stringify({ ...envelope, ...fields }) }]);
  }

  /** Answers a command as a worker that does not own the session. */
  refuse(command: WorkerCommand): never {
    throw new NotOwnerError(command);
  }

  /** Renews its lease and sends a heartbeat, besides the regular ones. */
  async beat(): Promise<void> {
    await this.#registry.renewLease(this.id);
    await this.#registry.beat({
      id: this.id,
      host: 'test',
      release: this.#options.release ?? '1.0.0',
      capacity: this.#capacity,
      sessions: this.#fences.size,
      draining: this.#isDraining,
      idlest: this.fences.slice(0, IDLEST).map(({ tenantId, sessionId }) => ({ tenantId, sessionId })),
      lifeline: this.#lifeline.token,
      features: this.#options.features ?? WORKER_FEATURES,
    });
  }

  /** Reports from now on that it hands its sessions over, and keeps them. */
  async announceDrain(): Promise<void> {
    this.#isDraining = true;
    await this.beat();
  }

  /** Ends as a killed worker does: its connections close, its lease runs on, its sessions still name it. */
  crash(): Promise<void> {
    return this.#end(async () => {});
  }

  /** Ends as a killed worker does once its lease has expired. No effect if it has ended already. */
  die(): Promise<void> {
    return this.#end(() => this.#registry.releaseLease(this.id));
  }

  /** Ends as a stopping worker does: it takes no more sessions, releases its own, then its lease. */
  async drain(): Promise<void> {
    await this.announceDrain();
    for (const fence of this.fences) await this.#ownership.release(fence);
    await this.die();
  }

  get #capacity(): number {
    return this.#options.capacity ?? 100;
  }

  #tryBeat(): void {
    // Redis may be away for the sake of the test.
    this.#lastBeat = this.beat().catch(() => {});
  }

  #end(giveUpLease: () => Promise<void>): Promise<void> {
    const end = async () => {
      clearInterval(this.#beating);
      await this.#server.stop();
      await this.#lastBeat;
      await giveUpLease();
      this.#lifeline.close();
      this.#redis.disconnect();
    };
    this.#ending ??= end();
    return this.#ending;
  }
}

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}
