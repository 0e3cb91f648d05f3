import { setTimeout as delay } from 'node:timers/promises';
import { FairQueue, type Logger } from '@wafleet/runtime';
import type { ConnectGrant, ConnectRate, ConnectReport, SessionRef } from '@wafleet/store';
import { type ConnectOutcome, ConnectPermit } from './connect-permit.js';
import { OpenConnections } from './open-connections.js';
import { StartPace } from './start-pace.js';
import {
  choiceFor,
  endOf,
  isRefusal,
  isSame,
  type LinkStep,
  usageOf,
  type VersionChoice,
  type WaiterUsage,
} from './version-choice.js';

/** How many waiting sessions are looked at for those that may try or probe a version, and how many of a kind are named. */
const LOOKED_AT = 100;
const NAMED = 20;
const SHORTEST_WAIT_MS = 20;
/** Keeps the delay short between the closing of the breaker and the next attempt. */
const LONGEST_WAIT_MS = 2_000;
/** The pause between two attempts while Redis is unreachable. */
const RETRY_MS = 500;

export interface PermitRequest {
  readonly session: SessionRef;
  /** Whether a person is waiting to link a phone. Urgent requests go first. */
  readonly isUrgent: boolean;
  /** Undefined for a session that was linked before. */
  readonly linking?: LinkStep | undefined;
  /** Whether its last connection ended before it was open: then it is none of the first to try a new version. */
  readonly hasFailed?: boolean;
  /** Cancels the request. */
  readonly signal: AbortSignal;
  /** Called when WhatsApp refuses this version of the client: the wait may then be long. */
  readonly onHeld: () => void;
}

interface Waiter {
  readonly session: SessionRef;
  readonly linking: LinkStep | undefined;
  readonly hasFailed: boolean;
  readonly admit: (permit: ConnectPermit) => void;
  /** Called at most once. */
  onHeld: (() => void) | undefined;
}

/**
 * The queue in which the sessions of this process wait for permission to connect to WhatsApp, before every connection.
 * One loop asks Redis for all of them together, so the cost depends on the number of processes and not on the number of
 * waiting sessions. Tenants take turns. Connections are spaced out while the process is busy and has sessions that have
 * been open for a while, since the messages of those would be delayed. While Redis is unreachable all sessions wait:
 * nothing that WhatsApp sent could be stored. The permit has the version of WhatsApp Web that the client reports.
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
  #version: string | undefined;
  #refusals = 0;
  #isHeld = false;

  constructor(options: { rate: ConnectRate; logger: Logger }) {
    this.#rate = options.rate;
    this.#logger = options.logger;
  }

  /** How many open connections of this process report each version of WhatsApp Web. */
  get openVersions(): ReadonlyMap<string, number> {
    return this.#open.versions;
  }

  /** How often WhatsApp has refused the version of a client of this process. */
  get refusals(): number {
    return this.#refusals;
  }

  /** How many sessions of this process wait since WhatsApp refuses the version that they report. */
  get heldSessions(): number {
    return this.#isHeld ? this.#urgent.size + this.#others.size : 0;
  }

  /** Resolves when it is the session's turn; to undefined if the request was cancelled. */
  permit(request: PermitRequest): Promise<ConnectPermit | undefined> {
    const { session, isUrgent, linking, hasFailed = false, signal, onHeld } = request;
    if (signal.aborted) return Promise.resolve(undefined);
    const { tenantId } = session;
    return new Promise((resolve) => {
      const line = isUrgent ? this.#urgent : this.#others;
      const giveUp = () => {
        line.leave(tenantId, waiter);
        resolve(undefined);
      };
      const waiter: Waiter = {
        session,
        linking,
        hasFailed,
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

  /** See ConnectRate. Never rejects. */
  suspectAtLinking(version: string, options: { isCertain: boolean }): void {
    this.#inOrder(() => this.#rate.suspectAtLinking(version, options));
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
      const demand = { urgent: this.#urgent.size, others: this.#others.size, ...this.#waiting() };
      const grant = await this.#rate.take(demand);
      this.#noteVersion(grant);
      this.#isHeld = grant.breaker !== 'closed';
      const trying = [...(grant.trial?.sessions ?? [])];
      const { breaker, urgent, others } = grant;
      for (let granted = urgent + others; granted > 0; granted -= 1) {
        this.#admit(this.#nextWaiter(grant, granted > others), grant, trying);
        if (granted > 1) await this.#pace.gap();
      }
      this.#giveBack(grant, trying);
      if (breaker !== 'closed') this.#reportHeld();
      return grant.waitMs;
    } catch (error) {
      this.#logger.debug({ err: error }, 'sessions wait for Redis before they connect');
      return RETRY_MS;
    }
  }

  /** A few of the waiting sessions, of tenants in turn, by what they may do with a version that is not known to work. */
  #waiting(): Record<WaiterUsage, readonly SessionRef[]> {
    const found: Record<WaiterUsage, SessionRef[]> = { mayTry: [], mayProbe: [], toLink: [] };
    for (const line of [this.#urgent, this.#others]) {
      let looked = 0;
      for (const waiter of line) {
        if (looked === LOOKED_AT) break;
        looked += 1;
        const named = found[usageOf(waiter, line === this.#others)];
        if (named.length < NAMED) named.push(waiter.session);
      }
    }
    return found;
  }

  /** Takes the waiter out for which the next connect was granted; undefined if it has left. */
  #nextWaiter({ breaker, prober }: ConnectGrant, isUrgent: boolean): Waiter | undefined {
    if (breaker === 'open') return this.#urgent.next();
    if (breaker === 'probe' && prober !== undefined) return this.#serve(prober);
    const [first, second] = isUrgent ? [this.#urgent, this.#others] : [this.#others, this.#urgent];
    return first.next() ?? second.next();
  }

  #serve(ref: SessionRef): Waiter | undefined {
    for (const line of [this.#others, this.#urgent]) {
      const waiter = [...line].find(({ session }) => isSame(session, ref));
      if (waiter !== undefined && line.serve(ref.tenantId, waiter)) return waiter;
    }
    return undefined;
  }

  #admit(waiter: Waiter | undefined, grant: ConnectGrant, trying: SessionRef[]): void {
    const choice = choiceFor(waiter, grant, trying);
    const { version, purpose, hasWorked } = choice;
    const isFollowed = purpose === 'trial' || purpose === 'link';
    const permit = new ConnectPermit({
      version,
      report: (outcome, statusCode) => this.#learn(choice, outcome, statusCode),
      onOpened: isFollowed || !hasWorked ? () => this.#tell(choice, 'opened') : undefined,
      onClosed: isFollowed ? () => this.#tell(choice, 'ended') : undefined,
      open: this.#open,
    });
    // All waiting requests may have been cancelled during the call to Redis.
    if (waiter === undefined) permit.ended(0);
    else waiter.admit(permit);
  }

  /** The sessions that were to try a version may have been cancelled meanwhile. */
  #giveBack({ trial, hasWorked }: ConnectGrant, unused: readonly SessionRef[]): void {
    if (trial === undefined) return;
    const { version } = trial;
    for (const session of unused) this.#tell({ version, purpose: 'trial', session, hasWorked }, 'unused');
  }

  #noteVersion({ version, breaker }: ConnectGrant): void {
    if (breaker !== 'closed' || version === this.#version) return;
    this.#logger.info({ version, previous: this.#version }, 'sessions report this version of WhatsApp Web');
    this.#version = version;
  }

  #reportHeld(): void {
    for (const line of [this.#urgent, this.#others]) {
      for (const waiter of line) {
        waiter.onHeld?.();
        waiter.onHeld = undefined;
      }
    }
  }

  #learn(choice: VersionChoice, outcome: ConnectOutcome, statusCode: number): void {
    const { version, purpose } = choice;
    const isAccepted = outcome === 'accepted' || outcome === 'opened';
    if (isAccepted) for (const listener of [...this.#acceptanceListeners]) listener();
    if (isRefusal(purpose, statusCode)) {
      this.#refusals += 1;
      const occasion = { version, purpose, statusCode, ...choice.session };
      this.#logger.error(occasion, 'WhatsApp refuses this version of the client');
      this.#tell(choice, 'refused');
    } else if (purpose === 'probe' && isAccepted) {
      this.#tell(choice, outcome);
    } else if ((purpose === 'probe' || purpose === 'trial') && outcome === 'failed') {
      this.#tell(choice, endOf(statusCode));
    }
  }

  #tell({ version, purpose, session }: VersionChoice, outcome: ConnectReport['outcome']): void {
    this.#inOrder(async () => {
      const changedTo = await this.#rate.report({ version, purpose, outcome, session });
      if (changedTo !== undefined)
        this.#logger.warn({ version: changedTo }, 'all sessions go on with this version of WhatsApp Web');
    });
  }

  #inOrder(report: () => Promise<void>): void {
    this.#report = this.#report.then(report).catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'could not report the outcome of a connect to the other workers');
    });
  }
}
