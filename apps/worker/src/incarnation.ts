import { randomUUID } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import {
  type Cipher,
  CommandServer,
  LEASE_MS,
  type RedisConnection,
  type RedisRole,
  WorkerRegistry,
} from '@wafleet/store';
import { carryOut } from './commands.js';
import { OwnedSessions, type OwnedSessionsOptions } from './owned-sessions.js';

const RENEW_MS = 3_000;
const BEAT_MS = 2_000;

export interface IncarnationOptions {
  /** Opens a connection that Redis lists under this name. */
  readonly connect: (role: RedisRole, name: string) => RedisConnection;
  readonly cipher: Cipher;
  readonly whatsapp: OwnedSessionsOptions['whatsapp'];
  readonly capacity: number;
  readonly eventLogLength: number;
  readonly release: string;
  readonly host: string;
  readonly logger: Logger;
  /** Called once, when Redis says that the lease is gone. */
  readonly onLeaseLost: () => void;
}

/**
 * One life of a worker: a lease, and the sessions claimed under its id. While the lease lives nobody else claims
 * them. That Redis is out of reach is no loss of the lease: the sockets stay, since a fenced write will tell when
 * the sessions have gone to another worker meanwhile.
 */
export class Incarnation {
  readonly id = `wrk_${randomUUID()}`;
  readonly sessions: OwnedSessions;
  readonly #options: IncarnationOptions;
  readonly #logger: Logger;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #server: CommandServer;
  #renewedAt = 0;
  #timers: NodeJS.Timeout[] = [];
  #isDraining = false;
  #isOver = false;

  private constructor(options: IncarnationOptions) {
    const { connect, logger } = options;
    this.#options = options;
    this.#logger = logger.child({ worker: this.id });
    this.#redis = connect('command', this.id);
    this.#registry = new WorkerRegistry(this.#redis);
    this.sessions = new OwnedSessions({ ...options, redis: this.#redis, worker: this.id });
    this.#server = new CommandServer({
      redis: this.#redis,
      blocking: connect('blocking', this.id),
      workerId: this.id,
      handle: (command) => carryOut(command, this.sessions),
      logger: this.#logger,
    });
  }

  /** Takes a lease and begins to take sessions. Rejects when Redis cannot be reached. */
  static async begin(options: IncarnationOptions): Promise<Incarnation> {
    const incarnation = new Incarnation(options);
    try {
      await incarnation.#takeLease();
    } catch (error) {
      incarnation.abandon();
      throw error;
    }
    return incarnation;
  }

  /** Whether the lease was renewed lately enough to be alive. */
  get isLeased(): boolean {
    return !this.#isOver && Date.now() - this.#renewedAt < LEASE_MS;
  }

  /** Takes no more sessions, hands all over, ends the lease. Resolves when nothing is left. */
  async drain(): Promise<void> {
    if (this.#isOver) return;
    this.#isDraining = true;
    await this.#beat();
    await this.sessions.drain();
    await this.#server.stop();
    this.#stopTimers();
    this.#isOver = true;
    await this.#registry.releaseLease(this.id);
    this.#redis.disconnect();
  }

  /** Closes every socket at once and writes nothing more. */
  abandon(): void {
    this.#isOver = true;
    this.sessions.discardAll();
    this.#stopTimers();
    void this.#server.stop().finally(() => this.#redis.disconnect());
  }

  async #takeLease(): Promise<void> {
    if (!(await this.#registry.acquireLease(this.id))) throw new Error(`the lease of ${this.id} is taken`);
    this.#renewedAt = Date.now();
    await this.#beat();
    this.#server.start();
    this.#timers = [
      setInterval(() => void this.#renew(), RENEW_MS),
      setInterval(() => void this.#beat(), BEAT_MS),
    ];
  }

  async #renew(): Promise<void> {
    const startedAt = Date.now();
    try {
      const outcome = await this.#registry.renewLease(this.id);
      if (this.#isOver) return;
      if (outcome === 'renewed') {
        this.#renewedAt = startedAt;
        return;
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the lease could not be renewed');
      return;
    }
    this.#isOver = true;
    this.#logger.error('the lease is lost; every session is given up');
    this.#options.onLeaseLost();
  }

  async #beat(): Promise<void> {
    const { capacity, release, host } = this.#options;
    try {
      await this.#registry.beat({
        id: this.id,
        host,
        release,
        capacity,
        sessions: this.sessions.count,
        draining: this.#isDraining,
      });
    } catch (error) {
      this.#logger.warn({ err: error }, 'the heartbeat could not be sent');
    }
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }
}
