import { afterEach, test } from 'vitest';
import { Takeover } from '../support/takeover.js';

/** `kill -9` of a worker under traffic, with many sessions. */
let takeover: Takeover | undefined;

afterEach(async () => {
  await takeover?.end();
  takeover = undefined;
});

test.each([50, 200])('%i sessions of a killed worker reopen on another one', async (sessions) => {
  takeover = await Takeover.prepare({
    scenario: 'worker-is-killed',
    sessions,
    everyMs: 20 * sessions,
  });
  await takeover.of((worker) => worker.kill());
  await takeover.reopened({ firstWithinMs: 30_000, allWithinMs: 120_000 });
  await takeover.conclude({ conflictsPerSession: 0 });
});
