import { setTimeout as delay } from 'node:timers/promises';
import { IdentityTakenError, Incarnation, type IncarnationOptions } from './incarnation.js';

const RETRY_MS = 1_000;

export type WorkerOptions = Omit<IncarnationOptions, 'onLeaseLost' | 'onStrayReleased'>;

/**
 * The successive incarnations of a worker process. An incarnation whose lease is lost is dead permanently: its sockets
 * are closed, its sessions are left to others, and the process goes on as a new incarnation, without sessions.
 */
export class Worker {
  readonly #options: WorkerOptions;
  #incarnation: Incarnation | undefined;
  #succession: Promise<void> | undefined;
  #stopped = false;
  #strays = 0;
  /** Refusals of earlier incarnations. */
  #refusals = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** The incarnation's id; undefined between two incarnations. */
  get id(): string | undefined {
    return this.#incarnation?.id;
  }

  get isLeased(): boolean {
    return this.#incarnation?.isLeased ?? false;
  }

  /** When WhatsApp last delivered something to each open session, ms since 1970; 0 if it has not. */
  lastStanzas(): readonly number[] {
    return this.#incarnation?.sessions.lastStanzas() ?? [];
  }

  /** How many open sessions report each version of WhatsApp Web. */
  get openVersions(): ReadonlyMap<string, number> {
    return this.#incarnation?.sessions.openVersions ?? new Map();
  }

  /** How often WhatsApp has refused the version of a session since the start. */
  get versionRefusals(): number {
    return this.#refusals + (this.#incarnation?.sessions.versionRefusals ?? 0);
  }

  /** How many sessions wait since WhatsApp refuses the version that they report. */
  get heldByVersion(): number {
    return this.#incarnation?.sessions.heldByVersion ?? 0;
  }

  /** How many sessions were owned, not run, and released since the start. */
  get strays(): number {
    return this.#strays;
  }

  /**
   * Resolves when it takes sessions. A worker with an identity waits until its predecessor's lease has run out, if that
   * one crashed. Rejects if Redis cannot be reached.
   * @throws {IdentityTakenError} if the holder of the identity goes on renewing its lease.
   */
  async start(): Promise<void> {
    for (let heldForMs = Number.POSITIVE_INFINITY; ; await delay(RETRY_MS)) {
      try {
        return await this.#begin();
      } catch (error) {
        if (!(error instanceof IdentityTakenError) || error.heldForMs > heldForMs) throw error;
        heldForMs = error.heldForMs;
      }
    }
  }

  /**
   * Hands all sessions over, gives the lease back and disconnects.
   * @throws {DrainTimeoutError} when the time was too short for all sessions.
   */
  async stop({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    this.#stopped = true;
    await this.#succession;
    await this.#incarnation?.drain(timeoutMs);
  }

  async #begin(): Promise<void> {
    this.#incarnation = await Incarnation.begin({
      ...this.#options,
      onLeaseLost: () => {
        this.#succession = this.#succeed();
      },
      onStrayReleased: () => {
        this.#strays += 1;
      },
    });
  }

  async #succeed(): Promise<void> {
    this.#refusals = this.versionRefusals;
    this.#incarnation?.abandon();
    this.#incarnation = undefined;
    while (!this.#stopped) {
      try {
        return await this.#begin();
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'no new lease could be taken; trying again');
        await delay(RETRY_MS);
      }
    }
  }
}
