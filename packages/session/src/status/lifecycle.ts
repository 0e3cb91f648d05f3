/**
 * Why a session ended by itself. The worker then gives up the ownership; with `fenced` it has already lost the
 * ownership.
 */
export type SessionEnd = 'fenced' | 'closed' | 'logged_out' | 'failed';

/** The phase of a session. `stopping` and `unlinking` lead to `ended`, in which nothing happens any more. */
type Phase = 'running' | 'stopping' | 'unlinking' | 'ended';

/** The life of one session object, from the start to its only end. The parts of the session report its end here. */
export class SessionLifecycle {
  readonly #onEnd: (end: SessionEnd) => void;
  #phase: Phase = 'running';
  #stopReason: string | undefined;

  /** @param onEnd called at most once, when the session ends by itself. It must call `close`. */
  constructor(onEnd: (end: SessionEnd) => void) {
    this.#onEnd = onEnd;
  }

  /** Whether the session works normally: it neither ends nor has ended. */
  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  /** Whether the session finishes its work and nothing else: it comes to rest, or another worker is to take it. */
  get isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  /** Why another worker is to take the session; undefined if it does not stop, or comes to rest. */
  get stopReason(): string | undefined {
    return this.#stopReason;
  }

  /** The session begins nothing more and finishes its work. */
  beginStop(reason?: string): void {
    this.#phase = 'stopping';
    this.#stopReason = reason;
  }

  /** The session leaves its phone. */
  beginUnlink(): void {
    this.#phase = 'unlinking';
  }

  /** Ends the session by itself: it lost its ownership, or has come to rest. Does nothing if it has ended. */
  end(end: SessionEnd): void {
    if (this.#phase !== 'ended') this.#onEnd(end);
  }

  /** The session has ended, for whatever reason. @returns false if it had ended before. */
  close(): boolean {
    if (this.#phase === 'ended') return false;
    this.#phase = 'ended';
    return true;
  }
}
