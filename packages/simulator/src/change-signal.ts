/** Wakes those who wait for a change of something. */
export class ChangeSignal {
  readonly #waiting = new Set<() => void>();

  /** Something has changed. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next change, or after `timeoutMs`. */
  next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs).unref();
      this.#waiting.add(wake);
    });
  }
}
