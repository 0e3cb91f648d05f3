import { randomUUID } from 'node:crypto';
import { type Logger, StartError } from '@wafleet/runtime';
import type { StorageReach } from '@wafleet/session';
import {
  type Cipher,
  CommandServer,
  type EventLogBounds,
  LEASE_MS,
  Lifeline,
  type RedisConnection,
  type RedisRole,
  WORKER_FEATURES,
  WorkerRegistry,
} from '@wafleet/store';
import { executeCommand } from './command-executor.js';
import { LeaseClock, momentNow } from './lease-clock.js';
import { RedisReachability } from './redis-reachability.js';
import { OwnedSessions, type OwnedSessionsOptions } from './sessions/owned-sessions.js';
import { StraySessions } from './sessions/stray-sessions.js';

const RENEW_MS = 3_000;
const BEAT_MS = 2_000;
/** What is logged when the reach of Redis changes. */
const REACH_LINES = {
  reachable: 'Redis answers again; sessions go on',
  away: 'Redis does not answer; nothing more is read from WhatsApp',
  gone: 'Redis does not answer; connections to WhatsApp are closed',
} as const satisfies Record<StorageReach, string>;
/** As many sessions as a sweep of the placers moves at a time. */
const TOLD_IDLEST = 5;

/** Another incarnation has the identity: that of a live worker, or of a worker that died lately. */
export class IdentityTakenError extends StartError {
  /** How long the other incarnation keeps it if it does not renew its lease. */
  readonly heldForMs: number;

  constructor(identity: string, heldForMs: number) {
    super(`another worker runs with WORKER_ID ${identity}; give each worker one of its own, or none.`);
    this.heldForMs = heldForMs;
  }
}

export interface IncarnationOptions {
  /** Opens a connection that Redis lists under this name. */
  readonly connect: (role: RedisRole, name: string) => RedisConnection;
  readonly cipher: Cipher;
  readonly whatsapp: OwnedSessionsOptions['whatsapp'];
  /** Which addresses the proxies of sessions may have. Default: public ones. */
  readonly proxyRules?: OwnedSessionsOptions['proxyRules'];
  readonly capacity: number;
  /** How much of its events a tenant's log keeps. */
  readonly eventLog: EventLogBounds;
  readonly connectsPerSecond: number;
  /** Both: see SessionFactoryOptions. */
  readonly pinnedVersion?: string | undefined;
  readonly versionTrialMs?: number | undefined;
  readonly release: string;
  readonly host: string;
  /** An identity that no two workers may have at the same time. Default: the incarnation's own id. */
  readonly identity: string | undefined;
  readonly logger: Logger;
  /** Called once, when Redis says that the lease is gone. */
  readonly onLeaseLost: () => void;
  /** Called for each session that was owned, not run, and released. */
  readonly onStrayReleased: () => void;
}

/**
 * One life of a worker: a lease, and the sessions claimed under its id. While the lease lives, no other worker claims
 * them. The lease is not lost just because Redis is out of reach: the sockets stay open, because a fenced write will
 * show when the sessions have gone to another worker meanwhile.
 */
export class Incarnation {
  readonly id = `wrk_${randomUUID()}`;
  readonly sessions: OwnedSessions;
  readonly #options: IncarnationOptions;
  readonly #logger: Logger;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #server: CommandServer;
  readonly #lifeline: Lifeline;
  readonly #contact: RedisReachability;
  readonly #strays: StraySessions;
  readonly #identity: string;
  readonly #leaseClock = new LeaseClock(LEASE_MS);
  /** Whether the lease was taken again, and it is not known yet which sessions are still this worker's. */
  #isSettling = false;
  #timers: NodeJS.Timeout[] = [];
  #isDraining = false;
  #isOver = false;

  private constructor(options: IncarnationOptions) {
    const { connect, logger } = options;
    this.#options = options;
    this.#logger = logger.child({ workerId: this.id });
    this.#redis = connect('command', this.id);
    this.#registry = new WorkerRegistry(this.#redis);
    this.#identity = options.identity ?? this.id;
    this.#lifeline = new Lifeline({
      connection: connect('lifeline', this.id),
      logger: this.#logger,
      onOpen: () => void this.#beat(),
    });
    this.sessions = new OwnedSessions({
      ...options,
      redis: this.#redis,
      worker: this.id,
      logger: this.#logger,
      isOwnershipCertain: () => this.#leaseClock.isFresh && !this.#isSettling,
    });
    this.#strays = new StraySessions({
      redis: this.#redis,
      worker: this.id,
      isHere: (ref) => this.sessions.has(ref),
      onReleased: options.onStrayReleased,
      logger: this.#logger,
    });
    // A new connection may lead to another Redis, which took over and lacks the latest claims.
    this.#redis.on('ready', () => void this.#discardForeign());
    this.#contact = new RedisReachability({
      redis: this.#redis,
      onBack: () => this.#resume(),
      onChange: (reach) => {
        this.#logger[reach === 'reachable' ? 'info' : 'warn']({ reach }, REACH_LINES[reach]);
        this.sessions.setStorage(reach);
      },
    });
    this.#server = new CommandServer({
      redis: this.#redis,
      blocking: connect('blocking', this.id),
      workerId: this.id,
      handle: (command) => executeCommand(command, this.sessions),
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

  /** Whether the lease was renewed lately enough to be alive, as far as Redis can be reached. */
  get isLeased(): boolean {
    return !this.#isOver && this.#contact.reach === 'reachable' && this.#leaseClock.isFresh;
  }

  /**
   * Takes no more sessions, hands all over, ends the lease. Resolves when nothing is left. Until then the lease lives,
   * since no other worker may claim a session that is not released yet.
   * @throws {DrainTimeoutError} if the time was too short; the lease has ended all the same.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#isDraining = true;
    await this.#beat();
    try {
      await this.sessions.drain(timeoutMs);
    } finally {
      // It may have died meanwhile, for instance while it was frozen. It then has no lease, and nothing is left to do.
      const isDead = this.#isOver;
      await this.#server.stop();
      this.#stopTimers();
      this.#isOver = true;
      if (!isDead) await this.#registry.releaseLease(this.id, this.#identity);
      this.#lifeline.close();
      this.#redis.disconnect();
    }
  }

  /** Closes every socket at once and writes nothing more. */
  abandon(): void {
    this.#isOver = true;
    this.sessions.discardAll();
    this.#stopTimers();
    this.#lifeline.close();
    void this.#server.stop().finally(() => this.#redis.disconnect());
  }

  async #takeLease(): Promise<void> {
    const askedAt = momentNow();
    if (!(await this.#registry.acquireLease(this.id, this.#identity))) {
      const heldForMs = await this.#registry.identityHeldForMs(this.#identity);
      throw new IdentityTakenError(this.#identity, heldForMs);
    }
    this.#leaseClock.renewed(askedAt);
    await this.#beat();
    this.#server.start();
    this.#contact.start();
    this.#timers = [
      setInterval(() => void this.#renew(), RENEW_MS),
      setInterval(() => void this.#beat(), BEAT_MS),
    ];
  }

  async #renew(): Promise<void> {
    const askedAt = momentNow();
    try {
      const outcome = await this.#registry.renewLease(this.id, this.#identity);
      if (this.#isOver) return;
      if (outcome === 'renewed') {
        this.#leaseClock.renewed(askedAt);
        await this.sessions.noteArrivals();
        await this.sessions.noticeSettings();
        await this.#strays.look();
        return;
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the lease could not be renewed');
      return;
    }
    // While Redis was away the lease ran out by itself: #resume handles that.
    if (this.#contact.reach === 'reachable') this.#die();
  }

  #die(): void {
    this.#isOver = true;
    this.#logger.error('the lease is lost; every session is given up');
    this.#options.onLeaseLost();
  }

  /**
   * Reconciles with a Redis that was away: takes the lease again if it ran out, and gives up the sessions that another
   * worker claimed meanwhile. See WorkerRegistry for why that is safe.
   */
  async #resume(): Promise<void> {
    if (this.#isOver) return;
    this.#isSettling = true;
    const askedAt = momentNow();
    const isLost = (await this.#registry.renewLease(this.id, this.#identity)) === 'lost';
    if (isLost && !(await this.#registry.acquireLease(this.id, this.#identity))) return this.#die();
    this.#leaseClock.renewed(askedAt);
    await this.#beat();
    const { kept, lost } = await this.sessions.discardForeign();
    this.#isSettling = false;
    this.#logger.info({ leaseRanOut: isLost, kept, lost }, 'Redis is back');
  }

  async #discardForeign(): Promise<void> {
    try {
      const { lost } = await this.sessions.discardForeign();
      if (lost > 0) this.#logger.warn({ lost }, 'sessions were found to be lost');
    } catch (error) {
      this.#logger.warn({ err: error }, 'the ownership could not be read');
    }
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
        idlest: this.sessions.idleCandidates(TOLD_IDLEST),
        lifeline: this.#lifeline.token,
        clientVersions: Object.fromEntries(this.sessions.openVersions),
        features: WORKER_FEATURES,
      });
    } catch (error) {
      this.#logger.warn({ err: error }, 'the heartbeat could not be sent');
    }
  }

  #stopTimers(): void {
    this.#contact.stop();
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }
}
