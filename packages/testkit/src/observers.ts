/** A program that has just been started. None of its output has been missed. */
export interface StartedProcess {
  /** As in `AppProcessOptions`. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Passes on everything that it writes to either output from now on, as it arrives. */
  onOutput(listener: (chunk: Buffer) => void): void;
}

/**
 * Observes the programs that tests start, in any test. For rules that must hold in every scenario, such as that no
 * secret is logged. The callbacks run before the test continues.
 */
export interface TestObserver {
  processStarted(process: StartedProcess): void;
  /** A Redis is ready, at first or again. `dir` holds its append-only file, with every write since the start. */
  redisStarted(redis: { readonly port: number; readonly dir: string }): void;
  /** It no longer runs, for any reason. Its data is unchanged during the callback, and may be deleted afterwards. */
  redisEnded(redis: { readonly port: number; readonly dir: string }): void;
  /** A test has made a secret up that processes get from it, and that must not leave them. */
  secretMade?(secret: { readonly name: string; readonly value: string }): void;
}

const observers = new Set<TestObserver>();

/**
 * Notifies the observer of everything that this process starts through this package from now on.
 * @returns a function that ends the observation
 */
export function observeTests(observer: TestObserver): () => void {
  observers.add(observer);
  return () => {
    observers.delete(observer);
  };
}

/** Whether there are observers. If not, work that only serves them can be skipped. */
export function isObserved(): boolean {
  return observers.size > 0;
}

export function tellObservers(tell: (observer: TestObserver) => void): void {
  for (const observer of observers) tell(observer);
}
