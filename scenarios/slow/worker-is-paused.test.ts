import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import { report } from '../support/report.js';
import { Takeover } from '../support/takeover.js';

/** Longer than the lease of 15 s: when the worker wakes up, it believes in sessions that are another one's by then. */
const PAUSE_MS = 25_000;

const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 20);

let takeover: Takeover | undefined;

afterEach(() => takeover?.end());

test('a worker that was frozen past its lease writes nothing, closes its sockets and begins anew', async () => {
  takeover = await Takeover.prepare({ scenario: 'worker-is-paused', sessions: SESSIONS });
  const wakeUp = delay(PAUSE_MS);
  await takeover.of((worker) => worker.pause());
  await takeover.reopened({ firstWithinMs: 60_000, allWithinMs: 90_000 });
  await wakeUp;
  takeover.doomed.resume();
  await takeover.stepsDown(({ msg }) => msg?.startsWith('the lease is lost') === true);
  report('worker-is-paused', { refusedWrites: await refusedWrites() });
  await takeover.conclude({ conflictsPerSession: 1 });
});

/** How often a script of this Redis has answered FENCED. */
async function refusedWrites(): Promise<number> {
  const errors = await takeover?.cluster.redis.command('INFO', 'errorstats');
  return Number(/errorstat_FENCED:count=(\d+)/.exec(errors ?? '')?.[1] ?? 0);
}
