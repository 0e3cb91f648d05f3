import { afterEach, test } from 'vitest';
import { DrainedWorker } from '../support/drained-worker.js';

/** Drains a worker with fifty sessions. More sessions make the drain longer, but not the time each one is away. */
const SESSIONS = 50;

let drained: DrainedWorker | undefined;

afterEach(() => drained?.end());

test('on SIGTERM fifty sessions move, no message is lost or out of order, and the worker ends with 0', async () => {
  drained = await DrainedWorker.prepare();
  await drained.check(SESSIONS);
});
