/** Why nothing is read from the socket: storage is unavailable, or too many events wait to be written. */
type ReadingHold = 'storage' | 'congestion';

/** A connection that can stop reading. */
interface Reader {
  pauseReading(): void;
  resumeReading(): void;
}

/**
 * Decides whether a session reads what WhatsApp sends. While there is at least one hold, its connection is not read:
 * what WhatsApp sends stays unread and is acknowledged later.
 */
export class ReadingGate {
  readonly #holds: Record<ReadingHold, boolean> = { storage: false, congestion: false };
  #reader: Reader | undefined;

  /** Whether what WhatsApp sends is read. While it is not, no request and no message gets an answer. */
  get isOpen(): boolean {
    return !this.#holds.storage && !this.#holds.congestion;
  }

  /** Whether storage is unavailable. */
  get isStorageHeld(): boolean {
    return this.#holds.storage;
  }

  hold(hold: ReadingHold, isHeld: boolean): void {
    this.#holds[hold] = isHeld;
    this.#apply();
  }

  /** The holds apply to this connection from now on, and to no earlier one. */
  attach(reader: Reader | undefined): void {
    this.#reader = reader;
    this.#apply();
  }

  #apply(): void {
    if (this.isOpen) this.#reader?.resumeReading();
    else this.#reader?.pauseReading();
  }
}
