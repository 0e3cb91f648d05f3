import { randomBytes } from 'node:crypto';
import type { CommandReply, EventName, UnpublishedPayload } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  CommandServer,
  connectRedis,
  EventLog,
  type Fence,
  LEASE_MS,
  LinkOffers,
  NotOwnerError,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  type WorkerCommand,
  WorkerRegistry,
} from '@wafleet/store';

export type Handle = (command: WorkerCommand, worker: TestWorker) => Promise<CommandReply>;

type OwnFields<N extends EventName> =
  UnpublishedPayload<N> extends infer P
    ? P extends unknown
      ? Omit<P, 'sessionId' | 'timestamp'>
      : never
    : never;

/** A worker as the rest of the cluster sees one, with a real lease, inbox and ownership, but without WhatsApp. */
export class TestWorker {
  readonly id = `wrk_${randomBytes(6).toString('hex')}`;
  /** The commands that reached it. */
  readonly received: WorkerCommand[] = [];
  readonly sessions: SessionDirectory;
  readonly offers: LinkOffers;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #server: CommandServer;
  readonly #log: EventLog;
  #renewing: NodeJS.Timeout | undefined;

  static async start(options: {
    redisUrl: string;
    logger: Logger;
    handle?: Handle | undefined;
  }): Promise<TestWorker> {
    const worker = new TestWorker(options);
    await worker.#registry.acquireLease(worker.id);
    worker.#renewing = setInterval(() => {
      // Redis may be away for the sake of the test.
      worker.#registry.renewLease(worker.id).catch(() => {});
    }, LEASE_MS / 5);
    worker.#server.start();
    return worker;
  }

  private constructor({
    redisUrl,
    logger,
    handle = async () => ({}),
  }: {
    redisUrl: string;
    logger: Logger;
    handle?: Handle | undefined;
  }) {
    const connect = (role: 'command' | 'blocking') =>
      connectRedis({ url: redisUrl, role, name: `${this.id}:${role}`, logger });
    this.#redis = connect('command');
    this.#registry = new WorkerRegistry(this.#redis);
    this.#log = new EventLog(this.#redis);
    this.sessions = new SessionDirectory(this.#redis);
    this.offers = new LinkOffers(this.#redis);
    this.#server = new CommandServer({
      redis: this.#redis,
      blocking: connect('blocking'),
      workerId: this.id,
      handle: (command) => {
        this.received.push(command);
        return handle(command, this);
      },
      logger,
    });
  }

  /** Makes a session of the tenant that this worker owns. */
  async own(tenantId: string, sessionId: string): Promise<Fence> {
    await this.sessions.create({ tenantId, sessionId });
    return this.claim({ tenantId, sessionId });
  }

  async claim(ref: SessionRef, options: { expectPrevious?: string } = {}): Promise<Fence> {
    const claimed = await new Ownership(this.#redis).claim(ref, { worker: this.id, ...options });
    if (!('fence' in claimed))
      throw new Error(`session ${ref.sessionId} belongs to ${claimed.refusedBy.worker}`);
    return claimed.fence;
  }

  async release(fence: Fence): Promise<void> {
    await new Ownership(this.#redis).release(fence);
  }

  /** Appends an event of the session to its tenant's log, which publishes it. */
  async publish<N extends EventName>(fence: Fence, event: N, fields: OwnFields<N>): Promise<void> {
    const envelope = { sessionId: fence.sessionId, timestamp: new Date().toISOString() };
    await this.#log.append(fence, [{ event, body: JSON.stringify({ ...envelope, ...fields }) }]);
  }

  /** Reports to the placers that it has room, or that it hands its sessions over. */
  async beat({ draining = false } = {}): Promise<void> {
    const load = { capacity: 100, sessions: 0, draining, idlest: [] };
    await this.#registry.beat({ id: this.id, host: 'test', release: '0.0.0', ...load });
  }

  /** Answers a command as a worker that does not own the session. */
  refuse(command: WorkerCommand): never {
    throw new NotOwnerError(command);
  }

  /** Drops its lease, as if it had expired. */
  async die(): Promise<void> {
    clearInterval(this.#renewing);
    await this.#registry.releaseLease(this.id);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await this.die();
    this.#redis.disconnect();
  }
}
