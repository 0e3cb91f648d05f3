/** A program that has just been started: nothing of what it says can have been missed. */
export interface StartedProcess {
  /** As in `AppProcessOptions`. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Hands over all that it writes to either output from now on, as it comes. */
  onOutput(listener: (chunk: Buffer) => void): void;
}

/**
 * Follows what tests start, whichever test it is: for what must hold in every scenario, such as that no secret is
 * told. What it does is done before the test goes on.
 */
export interface TestObserver {
  processStarted(process: StartedProcess): void;
  /** A Redis serves, for the first time or again. `dir` holds its append-only file, with every write since the begin. */
  redisStarted(redis: { readonly port: number; readonly dir: string }): void;
  /** It does not run any more, by whatever end; its data is as it was left, and may be gone afterwards. */
  redisEnded(redis: { readonly port: number; readonly dir: string }): void;
}

const observers = new Set<TestObserver>();

/**
 * Tells the observer of all that this process starts from now on through this package.
 * @returns a function that ends it
 */
export function observeTests(observer: TestObserver): () => void {
  observers.add(observer);
  return () => {
    observers.delete(observer);
  };
}

/** Whether anybody follows: what costs something only for that need not be done otherwise. */
export function isObserved(): boolean {
  return observers.size > 0;
}

export function tellObservers(tell: (observer: TestObserver) => void): void {
  for (const observer of observers) tell(observer);
}
