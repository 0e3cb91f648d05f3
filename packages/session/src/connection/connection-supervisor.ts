import type { StorageReach } from '../session-options.js';
import { backOffMs } from './back-off.js';
import type { ConnectLimiter } from './connect-limiter.js';
import type { WhatsAppConnection } from './whatsapp-connection.js';

/** A connection that lasted this long did not fail at the start: the next wait is a short one again. */
const STABLE_MS = 60_000;
/** From this attempt on a wait is so long that it may end early: up to 8 s and more. */
const LONG_WAIT_FROM = 3;
/** Waits that end early end within this time, so that sessions do not all connect in the same moment. */
const EARLY_MS = 2_000;

/** Why nothing is read from the socket: what comes could not be stored now, or too much waits to leave. */
type ReadingHold = 'storage' | 'congestion';

/** Keeps a session at no more than one connection, opens one at a time, and counts the attempts. */
export class ConnectionSupervisor {
  readonly #openOne: (signal: AbortSignal) => Promise<WhatsAppConnection | undefined>;
  readonly #onAccepted: ConnectLimiter['onAccepted'];
  readonly #random: () => number;
  readonly #readingHolds: Record<ReadingHold, boolean> = { storage: false, congestion: false };
  #isClosed = false;
  #current: WhatsAppConnection | undefined;
  /** Ends what opens a connection, while it does. */
  #openingAbort: AbortController | undefined;
  #opening: Promise<void> = Promise.resolve();
  #attempt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #stableTimer: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => {};
  #hadEarlyAttempt = false;
  #isWaiting = false;

  /**
   * @param openOne makes a connection. Never rejects. Resolves to undefined if no connection is needed, promptly once
   * its signal aborts.
   * @param onAccepted tells when WhatsApp has accepted another session.
   */
  constructor(
    openOne: (signal: AbortSignal) => Promise<WhatsAppConnection | undefined>,
    onAccepted: ConnectLimiter['onAccepted'],
    random: () => number = Math.random,
  ) {
    this.#openOne = openOne;
    this.#onAccepted = onAccepted;
    this.#random = random;
  }

  get current(): WhatsAppConnection | undefined {
    return this.#current;
  }

  /** Without effect when there is a connection. Resolves when that is under way, or waits for storage. */
  open(): Promise<void> {
    if (this.#readingHolds.storage) {
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
        const connection = await this.#openOne(abort.signal);
        this.#openingAbort = undefined;
        // Nothing runs between this look and the assignment: a connection without an owner would never be closed.
        if (this.#isClosed) {
          connection?.discard();
          return;
        }
        this.#current = connection;
        this.#applyReadingHolds();
      });
    return this.#opening;
  }

  /** Whether what WhatsApp sends is read. While it is not, no request and no message gets an answer. */
  get isReading(): boolean {
    return !this.#readingHolds.storage && !this.#readingHolds.congestion;
  }

  /** Reads nothing from any connection while there is at least one hold. */
  holdReading(hold: ReadingHold, isHeld: boolean): void {
    this.#readingHolds[hold] = isHeld;
    this.#applyReadingHolds();
  }

  /**
   * While storage cannot be reached, nothing is read and no connection is opened; the one that is open stays, unless
   * storage is `gone`. Reachable again, it is read on, or what was to be opened meanwhile is opened.
   */
  setStorage(reach: StorageReach): void {
    const isReachable = reach === 'reachable';
    this.holdReading('storage', !isReachable);
    if (reach === 'gone') this.#current?.endWith({ statusCode: 503, message: 'Redis is out of reach' });
    if (!isReachable || !this.#isWaiting) return;
    this.#isWaiting = false;
    void this.open();
  }

  openIn(milliseconds: number): void {
    this.#stopWaiting();
    if (this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#stopListening();
      void this.open();
    }, milliseconds);
  }

  /**
   * Opens one after a while that grows with each attempt that fails. A long wait ends early, once in a series of failures,
   * when WhatsApp accepts another session of this process: an outage, during which the waits have become long, is over.
   */
  openWithBackOff(): void {
    const waitMs = backOffMs(this.#attempt, this.#random());
    this.openIn(waitMs);
    const isLong = this.#attempt >= LONG_WAIT_FROM;
    this.#attempt += 1;
    if (!isLong || this.#hadEarlyAttempt || this.#isClosed) return;
    const endsAt = performance.now() + waitMs;
    this.#stopListening = this.#onAccepted(() => {
      const leftMs = endsAt - performance.now();
      if (leftMs < EARLY_MS) return;
      this.#hadEarlyAttempt = true;
      this.openIn(EARLY_MS * this.#random());
    });
  }

  /** Discards the connection and opens another one. */
  async replace(): Promise<void> {
    this.#stopWaiting();
    this.letGo()?.discard();
    await this.open();
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

  /** From here on the connection, which is returned, is no concern of the session. */
  letGo(): WhatsAppConnection | undefined {
    clearTimeout(this.#stableTimer);
    const current = this.#current;
    this.#current = undefined;
    return current;
  }

  /** Opens no more. Resolves when nothing is being opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#openingAbort?.abort();
    this.#stopWaiting();
    clearTimeout(this.#stableTimer);
    await this.#opening;
  }

  #stopWaiting(): void {
    clearTimeout(this.#retryTimer);
    this.#stopListening();
  }

  #applyReadingHolds(): void {
    if (this.isReading) this.#current?.resumeReading();
    else this.#current?.pauseReading();
  }
}
