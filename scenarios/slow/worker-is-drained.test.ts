import { afterEach, test } from 'vitest';
import { DrainedWorker } from '../support/drained-worker.js';

/** The drain of a worker with fifty sessions: the more there are, the longer it takes, but none is away for longer. */
const SESSIONS = 50;

let drained: DrainedWorker | undefined;

afterEach(() => drained?.end());

test('on SIGTERM fifty sessions move, no message is lost or out of order, and the worker ends with 0', async () => {
  drained = await DrainedWorker.prepare();
  await drained.check(SESSIONS);
});
