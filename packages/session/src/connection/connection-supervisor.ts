import type { StorageReach } from '../session-options.js';
import { backOffMs } from './back-off.js';
import type { ConnectLimiter } from './connect-limiter.js';
import type { WhatsAppConnection } from './whatsapp-connection.js';

/** A connection that lasted this long did not fail at the start: the back-off starts over. */
const STABLE_MS = 60_000;
/** From this attempt on the limit of the wait is 8 s or more, and the wait may end early. */
const LONG_WAIT_FROM = 3;
/** Spreads the waits that end early over this time, so that sessions do not all connect at the same moment. */
const EARLY_MS = 2_000;

/** Why nothing is read from the socket: storage is unavailable, or too many events wait to be written. */
type ReadingHold = 'storage' | 'congestion';

/** Keeps a session at one connection at most, opens one at a time, and counts the attempts. */
export class ConnectionSupervisor {
  readonly #openOne: (signal: AbortSignal) => Promise<WhatsAppConnection | undefined>;
  readonly #onAccepted: ConnectLimiter['onAccepted'];
  readonly #random: () => number;
  readonly #readingHolds: Record<ReadingHold, boolean> = { storage: false, congestion: false };
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

  /**
   * @param openOne opens a connection. Never rejects. Resolves to undefined if no connection is needed, and promptly
   * after its signal aborts.
   * @param onAccepted adds a listener for connections of other sessions that WhatsApp has accepted.
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

  /** Opens a connection. Does nothing if there is one. Resolves when it is being opened, or waits for storage. */
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
        // Nothing may run between this check and the assignment: a connection without an owner would never be closed.
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
   * Handles a change in the reachability of storage. While storage is unreachable, nothing is read and no connection is
   * opened. An open connection is kept, unless storage is `gone`. When storage is reachable again, reading resumes, or
   * the postponed connection is opened.
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
   * Opens a connection after a back-off that grows with each failed attempt. A long wait ends early, once in a series
   * of failures, when WhatsApp accepts another session of this process: the outage that caused the long waits is over.
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

  /** Discards the connection and opens a new one. */
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

  /** Detaches the connection from the session and returns it. */
  letGo(): WhatsAppConnection | undefined {
    clearTimeout(this.#stableTimer);
    const current = this.#current;
    this.#current = undefined;
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
    clearTimeout(this.#retryTimer);
    this.#stopListening();
  }

  #applyReadingHolds(): void {
    if (this.isReading) this.#current?.resumeReading();
    else this.#current?.pauseReading();
  }
}
