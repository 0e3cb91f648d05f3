import { afterEach, test } from 'vitest';
import { Takeover } from './support/takeover.js';

/** `kill -9` of a worker under traffic. Another one takes its sessions over in seconds, and no phone links again. */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 12);

let takeover: Takeover | undefined;

afterEach(() => takeover?.end());

test('the sessions of a killed worker reopen on another one, with every message in order', async () => {
  takeover = await Takeover.prepare({ scenario: 'worker-is-killed', sessions: SESSIONS });
  await takeover.of((worker) => worker.kill());
  await takeover.reopened({ firstWithinMs: 20_000, allWithinMs: 60_000 });
  await takeover.conclude({ conflictsPerSession: 0 });
  takeover.isInLogs();
});
