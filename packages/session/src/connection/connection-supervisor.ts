import { backoff } from '@wafleet/runtime';
import type { ConnectLimiter } from './connect-limiter.js';
import { PROXY_CHANGED } from './disconnects.js';
import type { ReadingGate } from './reading-gate.js';
import type { WhatsAppConnection } from './whatsapp-connection.js';

/** Full jitter, so that sessions that lost their connections together do not return together. */
const backoffMs = backoff({ baseMs: 1_000, capMs: 120_000, jitter: 1 });
/** A connection that lasted this long did not fail at the start: the back-off starts over. */
const STABLE_MS = 60_000;
/** From this attempt on the limit of the wait is 8 s or more, and the wait may end early. */
const LONG_WAIT_FROM = 3;
/** Spreads the waits that end early over this time, so that sessions do not all connect at the same moment. */
const EARLY_MS = 2_000;

/**
 * Whether Redis is reachable. `away`: unreachable for a short while; sockets are kept and not read. `gone`: unreachable
 * for so long that keeping sockets is not worthwhile.
 */
export type StorageReach = 'reachable' | 'away' | 'gone';

/** Opens connections. */
interface Opener {
  /** Never rejects. Resolves to undefined if no connection is needed, and promptly after its signal aborts. */
  open(signal: AbortSignal): Promise<WhatsAppConnection | undefined>;
}

/** Keeps a session at one connection at most, opens one at a time, and counts the attempts. */
export class ConnectionSupervisor {
  readonly #connectLimiter: Pick<ConnectLimiter, 'onAccepted'>;
  readonly #readingGate: ReadingGate;
  readonly #random: () => number;
  #opener: Opener | undefined;
  #isClosed = false;
  #current: WhatsAppConnection | undefined;
  /** Aborts the connection that is being opened; undefined if none is. */
  #openingAbort: AbortController | undefined;
  #opening: Promise<void> = Promise.resolve();
  #attempt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #stableTimer: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => {};
  #hadEarlyAttempt = false;
  #isWaiting = false;
  #isBackingOff = false;

  constructor(options: {
    /** Reports the connections of other sessions that WhatsApp has accepted. */
    connectLimiter: Pick<ConnectLimiter, 'onAccepted'>;
    /** Decides whether the current connection is read. */
    readingGate: ReadingGate;
    random?: () => number;
  }) {
    this.#connectLimiter = options.connectLimiter;
    this.#readingGate = options.readingGate;
    this.#random = options.random ?? Math.random;
  }

  /** Opens the first connection, as `open` does, and uses the opener for all connections. */
  start(opener: Opener): Promise<void> {
    this.#opener = opener;
    return this.open();
  }

  get current(): WhatsAppConnection | undefined {
    return this.#current;
  }

  /** Opens a connection. Does nothing if there is one. Resolves when it is being opened, or waits for storage. */
  open(): Promise<void> {
    if (this.#readingGate.isStorageHeld) {
      this.#isWaiting = true;
      return Promise.resolve();
    }
    // One attempt that failed unexpectedly must not stop those after it.
    this.#opening = this.#opening
      .catch(() => {})
      .then(async () => {
        if (this.#isClosed || this.#current !== undefined) return;
        const abort = new AbortController();
        this.#openingAbort = abort;
        const connection = await this.#opener?.open(abort.signal);
        this.#openingAbort = undefined;
        // Nothing may run between this check and the assignment: a connection without an owner would never be closed.
        if (this.#isClosed) {
          connection?.discard();
          return;
        }
        this.#current = connection;
        this.#readingGate.attach(connection);
        // It began before the proxy was set.
        if (connection?.hasOldProxy === true) void connection.drain(PROXY_CHANGED);
      });
    return this.#opening;
  }

  /**
   * Handles a change in the reachability of storage. While storage is unreachable, nothing is read and no connection is
   * opened. An open connection is kept, unless storage is `gone`. When storage is reachable again, reading resumes, or
   * the postponed connection is opened.
   */
  setStorage(reach: StorageReach): void {
    const isReachable = reach === 'reachable';
    this.#readingGate.hold('storage', !isReachable);
    if (reach === 'gone') this.#current?.endWith({ statusCode: 503, message: 'Redis is out of reach' });
    if (!isReachable || !this.#isWaiting) return;
    this.#isWaiting = false;
    void this.open();
  }

  openIn(milliseconds: number): void {
    this.#stopWaiting();
    if (this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#isBackingOff = false;
      this.#stopListening();
      void this.open();
    }, milliseconds);
  }

  /**
   * Opens a connection after a back-off that grows with each failed attempt. A long wait ends early, once in a series
   * of failures, when WhatsApp accepts another session of this process: the outage that caused the long waits is over.
   */
  openWithBackOff(): void {
    const waitMs = backoffMs(this.#attempt, this.#random());
    this.openIn(waitMs);
    this.#isBackingOff = true;
    const isLong = this.#attempt >= LONG_WAIT_FROM;
    this.#attempt += 1;
    if (!isLong || this.#hadEarlyAttempt || this.#isClosed) return;
    const endsAt = performance.now() + waitMs;
    this.#stopListening = this.#connectLimiter.onAccepted(() => {
      const leftMs = endsAt - performance.now();
      if (leftMs < EARLY_MS) return;
      this.#hadEarlyAttempt = true;
      this.openIn(EARLY_MS * this.#random());
    });
  }

  /** Discards the connection and opens a new one. */
  async replace(): Promise<void> {
    this.#stopWaiting();
    this.letGo()?.discard();
    await this.open();
  }

  /**
   * Another proxy was set. Ends a connection that does not use it, in order, so that nothing is lost; its end leads to a
   * new one. A back-off ends early.
   */
  async proxyChanged(): Promise<void> {
    if (this.#isBackingOff) this.openIn(0);
    if (this.#current?.hasOldProxy === true) await this.#current.drain(PROXY_CHANGED);
  }

  /** The connection is logged in. */
  markOpen(): void {
    clearTimeout(this.#stableTimer);
    if (this.#isClosed) return;
    this.#stableTimer = setTimeout(() => {
      this.#attempt = 0;
      this.#hadEarlyAttempt = false;
    }, STABLE_MS);
  }

  /** Detaches the connection from the session and returns it. */
  letGo(): WhatsAppConnection | undefined {
    clearTimeout(this.#stableTimer);
    const current = this.#current;
    this.#current = undefined;
    this.#readingGate.attach(undefined);
    return current;
  }

  /** Opens no more connections. Resolves when none is being opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#openingAbort?.abort();
    this.#stopWaiting();
    clearTimeout(this.#stableTimer);
    await this.#opening;
  }

  #stopWaiting(): void {
    this.#isBackingOff = false;
    clearTimeout(this.#retryTimer);
    this.#stopListening();
  }
}
