/** Runs tasks with the same key one after the other, and tasks with different keys concurrently. */
export class KeyedQueue<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Resolves or rejects as the task does. A failed task does not stop later ones. */
  run<Result>(key: Key, task: () => Promise<Result>): Promise<Result> {
    const previous = this.#last.get(key) ?? Promise.resolve();
    const current = previous.then(task, task);
    const settled = current
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return current;
  }
}
