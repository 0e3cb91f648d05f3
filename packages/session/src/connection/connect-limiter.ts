import { setTimeout as delay } from 'node:timers/promises';
import { FairQueue, type Logger } from '@wafleet/runtime';
import type { ConnectRate } from '@wafleet/store';
import { OpenConnections } from './open-connections.js';
import { StartPace } from './start-pace.js';

/** WhatsApp's code for a version of the client that is too old (`<failure reason="405">`). */
const CLIENT_OUTDATED = 405;
const SHORTEST_WAIT_MS = 20;
/** Keeps the delay short between the closing of the breaker and the next attempt. */
const LONGEST_WAIT_MS = 2_000;
/** The pause between two attempts while Redis is unreachable. */
const RETRY_MS = 500;

/** Permission to connect once. The holder reports the outcome; only the first report counts. */
export class ConnectPermit {
  /** The version of WhatsApp Web that the client is to report. */
  readonly version: string;
  readonly #report: (outcome: 'accepted' | 'outdated' | 'failed') => void;
  readonly #open: OpenConnections;
  #isReported = false;

  constructor({
    version,
    report,
    open = new OpenConnections(),
  }: {
    version: string;
    report: (outcome: 'accepted' | 'outdated' | 'failed') => void;
    open?: OpenConnections;
  }) {
    this.version = version;
    this.#report = report;
    this.#open = open;
  }

  /** WhatsApp has accepted the client: it is logged in, or may be linked. */
  accepted(): void {
    this.#once('accepted');
  }

  /** The session is logged in. */
  opened(): void {
    this.accepted();
    this.#open.opened(this);
  }

  /** The connection has ended, or was never opened. */
  ended(statusCode: number): void {
    this.#open.closed(this);
    this.#once(statusCode === CLIENT_OUTDATED ? 'outdated' : 'failed');
  }

  #once(outcome: 'accepted' | 'outdated' | 'failed'): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#report(outcome);
  }
}

interface Waiter {
  readonly admit: (permit: ConnectPermit) => void;
  /** Called at most once. */
  onHeld: (() => void) | undefined;
}

export interface PermitRequest {
  readonly tenantId: string;
  /** Whether a person is waiting to link a phone. Urgent requests go first. */
  readonly isUrgent: boolean;
  /** Cancels the request. */
  readonly signal: AbortSignal;
  /** Called when WhatsApp refuses this version of the client: the wait may then be long. */
  readonly onHeld: () => void;
}

/**
 * The queue in which the sessions of this process wait for permission to connect to WhatsApp, before every connection.
 * One loop asks Redis for all of them together, so the cost depends on the number of processes and not on the number of
 * waiting sessions. Tenants take turns. Connections are spaced out while the process is busy and has sessions that have
 * been open for a while, since the messages of those would be delayed. While Redis is unreachable all sessions wait:
 * nothing that WhatsApp sent could be stored.
 */
export class ConnectLimiter {
  readonly #open = new OpenConnections();
  /** Paces the sessions that read their credentials, or generate them. */
  readonly loads = new StartPace({ isNeeded: () => this.#open.hasSettled });
  readonly #rate: ConnectRate;
  readonly #logger: Logger;
  readonly #pace = new StartPace({ isNeeded: () => this.#open.hasSettled });
  readonly #urgent = new FairQueue<Waiter>();
  readonly #others = new FairQueue<Waiter>();
  #loop: Promise<void> | undefined;
  #report: Promise<void> = Promise.resolve();
  readonly #acceptanceListeners = new Set<() => void>();
  #wake = new AbortController();

  constructor(options: { rate: ConnectRate; logger: Logger }) {
    this.#rate = options.rate;
    this.#logger = options.logger;
  }

  /** Resolves when it is the session's turn; to undefined if the request was cancelled. */
  permit({ tenantId, isUrgent, signal, onHeld }: PermitRequest): Promise<ConnectPermit | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const line = isUrgent ? this.#urgent : this.#others;
      const giveUp = () => {
        line.leave(tenantId, waiter);
        resolve(undefined);
      };
      const waiter: Waiter = {
        admit: (permit) => {
          signal.removeEventListener('abort', giveUp);
          resolve(permit);
        },
        onHeld,
      };
      signal.addEventListener('abort', giveUp, { once: true });
      line.join(tenantId, waiter);
      if (isUrgent) this.#wake.abort();
      this.#loop ??= this.#admitAll();
    });
  }

  /**
   * Calls the listener whenever WhatsApp has accepted a connection of this process, so that sessions that back off
   * learn that WhatsApp is reachable. Returns a function that removes the listener.
   */
  onAccepted(listener: () => void): () => void {
    this.#acceptanceListeners.add(listener);
    return () => this.#acceptanceListeners.delete(listener);
  }

  async #admitAll(): Promise<void> {
    while (this.#urgent.size + this.#others.size > 0) {
      const waitMs = await this.#admitSome();
      if (this.#urgent.size + this.#others.size === 0) break;
      const shortest = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, waitMs));
      this.#wake = new AbortController();
      // The delay is random, so that workers that wait together ask at different times.
      await delay(shortest * (1 + Math.random()), undefined, { signal: this.#wake.signal }).catch(() => {});
    }
    this.#loop = undefined;
  }

  /** Resolves to the time until more permits can be granted, ms. */
  async #admitSome(): Promise<number> {
    // The outcome of an earlier connection applies to the following ones.
    await this.#report;
    try {
      const demand = { urgent: this.#urgent.size, others: this.#others.size };
      const { urgent, others, waitMs, breaker } = await this.#rate.take(demand);
      const isProbe = breaker === 'probe';
      for (let granted = urgent + others; granted > 0; granted -= 1) {
        const [first, second] =
          granted > others ? [this.#urgent, this.#others] : [this.#others, this.#urgent];
        this.#admit(first.next() ?? second.next(), isProbe);
        if (granted > 1) await this.#pace.gap();
      }
      if (breaker !== 'closed') this.#reportHeld();
      return waitMs;
    } catch (error) {
      this.#logger.debug({ err: error }, 'sessions wait for Redis before they connect');
      return RETRY_MS;
    }
  }

  #admit(waiter: Waiter | undefined, isProbe: boolean): void {
    const permit = new ConnectPermit({
      version: this.#rate.clientVersion,
      report: (outcome) => this.#learn(outcome, isProbe),
      open: this.#open,
    });
    // All waiting requests may have been cancelled during the call to Redis.
    if (waiter === undefined) permit.ended(0);
    else waiter.admit(permit);
  }

  #reportHeld(): void {
    for (const line of [this.#urgent, this.#others]) {
      for (const waiter of line) {
        waiter.onHeld?.();
        waiter.onHeld = undefined;
      }
    }
  }

  #learn(outcome: 'accepted' | 'outdated' | 'failed', wasProbe: boolean): void {
    if (outcome === 'accepted') for (const listener of [...this.#acceptanceListeners]) listener();
    if (outcome !== 'outdated' && !wasProbe) return;
    this.#report = this.#report
      .then(() => {
        if (outcome === 'outdated') return this.#rate.versionRefused({ wasProbe });
        return outcome === 'accepted' ? this.#rate.versionAccepted() : this.#rate.probeFailed();
      })
      .catch((error: unknown) => {
        this.#logger.warn(
          { err: error, outcome },
          'could not report the outcome of a connect to the other workers',
        );
      });
    if (outcome === 'outdated') this.#logger.error('WhatsApp refuses this version of the client as outdated');
  }
}
