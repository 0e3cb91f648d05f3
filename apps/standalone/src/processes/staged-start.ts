import type { Lifecycle } from '@wafleet/runtime';

/** The start was aborted by a signal or because a process ended. Everything that was started is being stopped. */
export class StartInterrupted extends Error {
  constructor() {
    super('the start was interrupted');
    this.name = 'StartInterrupted';
  }
}

/**
 * Starts one thing and registers how it stops. If the stop of everything begins meanwhile, the thing is stopped at
 * once, so that nothing outlives an interrupted start.
 * @throws {StartInterrupted}
 */
export async function startStage<T>(
  lifecycle: Lifecycle,
  stage: {
    readonly name: string;
    readonly start: () => T | Promise<T>;
    readonly stop: (started: T) => Promise<void>;
    readonly stopTimeoutMs?: number;
  },
): Promise<T> {
  if (lifecycle.isStopping) throw new StartInterrupted();
  const started = await stage.start();
  if (lifecycle.isStopping) {
    await stage.stop(started);
    throw new StartInterrupted();
  }
  const limit = stage.stopTimeoutMs === undefined ? {} : { timeoutMs: stage.stopTimeoutMs };
  lifecycle.onStop(stage.name, () => stage.stop(started), limit);
  return started;
}
