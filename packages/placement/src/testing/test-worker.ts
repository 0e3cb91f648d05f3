import { randomUUID } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import {
  CommandServer,
  connectRedis,
  type Fence,
  Lifeline,
  NotOwnerError,
  Ownership,
  type RedisConnection,
  type RedisRole,
  SessionDirectory,
  type SessionRef,
  type WorkerCommand,
  WorkerRegistry,
} from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';

const BEAT_MS = 100;

const logger = createLogger({ app: 'placement-test', level: 'silent' });

export function connect(url: string, role: RedisRole): RedisConnection {
  return connectRedis({ url, role, name: `placement-test-${role}`, logger });
}

/** What a worker does with an `assign`. `pretend` answers as if it had the session already. */
type Behaviour = 'claim' | 'refuse' | 'pretend';

export interface TestWorkerOptions {
  readonly capacity?: number;
  readonly release?: string;
  /** Default: `claim`. */
  readonly behaviour?: Behaviour;
}

/** A worker as a placer sees it. Lease, heartbeat, inbox and claims are the real ones; WhatsApp is missing. */
export class TestWorker {
  readonly id = `wrk_${randomUUID()}`;
  /** The sessions it owns, by id. */
  readonly fences = new Map<string, Fence>();
  /** How often it was asked to take a session. */
  assignments = 0;
  behaviour: Behaviour;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #ownership: Ownership;
  readonly #sessions: SessionDirectory;
  readonly #server: CommandServer;
  readonly #lifeline: Lifeline;
  readonly #capacity: number;
  readonly #release: string;
  #draining = false;
  #claiming = 0;
  #beating: NodeJS.Timeout | undefined;
  #beat: Promise<void> = Promise.resolve();

  static async start(url: string, options: TestWorkerOptions = {}): Promise<TestWorker> {
    const worker = new TestWorker(url, options);
    await worker.#registry.acquireLease(worker.id);
    await waitFor(() => worker.#lifeline.token, { what: 'the lifeline open' });
    await worker.beat();
    worker.#beating = setInterval(() => {
      worker.#beat = worker.beat();
    }, BEAT_MS);
    worker.#server.start();
    return worker;
  }

  private constructor(url: string, options: TestWorkerOptions) {
    this.#redis = connect(url, 'command');
    this.#registry = new WorkerRegistry(this.#redis);
    this.#ownership = new Ownership(this.#redis);
    this.#sessions = new SessionDirectory(this.#redis);
    this.#capacity = options.capacity ?? 100;
    this.#release = options.release ?? '1.0.0';
    this.behaviour = options.behaviour ?? 'claim';
    this.#lifeline = new Lifeline({
      connection: connect(url, 'lifeline'),
      logger,
      onOpen: () => void this.beat(),
    });
    this.#server = new CommandServer({
      redis: this.#redis,
      blocking: connect(url, 'blocking'),
      workerId: this.id,
      handle: (command) => this.#handle(command),
      logger,
    });
  }

  /** Its claim on a session that it owns. */
  fenceOf(ref: SessionRef): Fence {
    const fence = this.fences.get(ref.sessionId);
    if (fence === undefined) throw new NotOwnerError(ref);
    return fence;
  }

  async beat(): Promise<void> {
    await this.#registry.renewLease(this.id);
    await this.#registry.beat({
      id: this.id,
      host: 'test',
      release: this.#release,
      capacity: this.#capacity,
      sessions: this.fences.size,
      draining: this.#draining,
      idlest: [...this.fences.values()]
        .slice(0, 5)
        .map(({ tenantId, sessionId }) => ({ tenantId, sessionId })),
      lifeline: this.#lifeline.token,
    });
  }

  /** Ends as a killed worker does: its connections close, its lease runs on, its sessions keep naming it. */
  async crash(): Promise<void> {
    clearInterval(this.#beating);
    this.#lifeline.close();
    await this.#server.stop();
    await this.#beat;
    this.#redis.disconnect();
  }

  /** Ends as a crashed worker does once its lease has run out: its sessions keep naming it as their owner. */
  async die(): Promise<void> {
    clearInterval(this.#beating);
    await this.#server.stop();
    await this.#beat;
    await this.#registry.releaseLease(this.id);
    this.#lifeline.close();
    this.#redis.disconnect();
  }

  /** Ends as a stopping worker does: it takes no more sessions, gives its own up, then its lease. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.beat();
    for (const fence of this.fences.values()) await this.#ownership.release(fence);
    await this.die();
  }

  /** Says from the next heartbeat on that it stops, and keeps its sessions. */
  announceDrain(): void {
    this.#draining = true;
  }

  /** Claims a session without being asked. */
  claim(ref: SessionRef): Promise<void> {
    return this.#claim(ref, undefined);
  }

  async #handle(command: WorkerCommand): Promise<{ sessions?: number }> {
    if (command.kind === 'release') await this.#giveUp(command);
    if (command.kind !== 'assign') return {};
    await this.#assign(command, command.expectPrevious);
    return { sessions: this.fences.size };
  }

  async #assign(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    this.assignments += 1;
    if (this.behaviour === 'refuse') throw new Error('this worker refuses');
    if (this.behaviour === 'pretend') return;
    // A placer may work on an old heartbeat: the worker knows best, and refuses as a real one does.
    if (this.fences.size + this.#claiming >= this.#capacity) throw new Error('this worker is full');
    this.#claiming += 1;
    try {
      await this.#claim(ref, expectPrevious);
    } finally {
      this.#claiming -= 1;
    }
  }

  async #claim(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const claim = await this.#ownership.claim(ref, { worker: this.id, expectPrevious });
    if ('refusedBy' in claim) throw new NotOwnerError(ref);
    this.fences.set(ref.sessionId, claim.fence);
    await this.#sessions.setStatus(claim.fence, { status: 'open' });
  }

  async #giveUp(ref: SessionRef): Promise<void> {
    await this.#ownership.release(this.fenceOf(ref));
    this.fences.delete(ref.sessionId);
  }
}
