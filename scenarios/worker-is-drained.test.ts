import { afterEach, test } from 'vitest';
import { DrainedWorker } from './support/drained-worker.js';

/** A worker that is asked to stop hands its sessions over under traffic. Each is away for a moment, nothing is lost. */
const SESSIONS = 12;

let drained: DrainedWorker | undefined;

afterEach(() => drained?.end());

test('on SIGTERM every session moves, no message is lost or out of order, and the worker ends with 0', async () => {
  drained = await DrainedWorker.prepare();
  await drained.check(SESSIONS);
});
