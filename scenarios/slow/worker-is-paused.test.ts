import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import { report } from '../support/report.js';
import { Takeover } from '../support/takeover.js';

/** Longer than the lease of 15 s: when the worker wakes up, another one owns the sessions that it still has. */
const PAUSE_MS = 25_000;

const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 20);

let takeover: Takeover | undefined;

afterEach(() => takeover?.end());

test('a worker that was frozen past its lease writes nothing, closes its sockets and takes a new id', async () => {
  takeover = await Takeover.prepare({ scenario: 'worker-is-paused', sessions: SESSIONS });
  const wakeUp = delay(PAUSE_MS);
  await takeover.of((worker) => worker.pause());
  await takeover.reopened({ firstWithinMs: 60_000, allWithinMs: 90_000 });
  await wakeUp;
  takeover.doomed.resume();
  await takeover.stepsDown(({ msg }) => msg?.startsWith('the lease is lost') === true);
  report('worker-is-paused', { refusedWrites: await refusedWrites() });
  await takeover.conclude({ conflictsPerSession: 1, loginsPerSession: 1 });
});

test('workers that are frozen one after the other log each account in once a takeover, and no message is lost', async () => {
  takeover = await Takeover.prepare({ scenario: 'workers-are-paused-in-turn', sessions: SESSIONS });
  const { doomed, cluster } = takeover;
  const other = cluster.workers.find((worker) => worker !== doomed);
  if (other === undefined) throw new Error('there is no other worker');
  let wakeUp = delay(PAUSE_MS);
  await takeover.of((worker) => worker.pause());
  await takeover.reopened({ firstWithinMs: 60_000, allWithinMs: 90_000 });
  await wakeUp;
  doomed.resume();
  await takeover.stepsDown(({ msg }) => msg?.startsWith('the lease is lost') === true);
  // Only the worker that woke up can take the sessions now.
  wakeUp = delay(PAUSE_MS);
  await takeover.again(() => other.pause());
  await takeover.reopened({ firstWithinMs: 60_000, allWithinMs: 90_000 });
  await wakeUp;
  other.resume();
  await takeover.oneConnectionEach();
  await takeover.conclude({ conflictsPerSession: 2, loginsPerSession: 2 });
});

/** How often a script of this Redis has answered FENCED. */
async function refusedWrites(): Promise<number> {
  const errors = await takeover?.cluster.redis.command('INFO', 'errorstats');
  return Number(/errorstat_FENCED:count=(\d+)/.exec(errors ?? '')?.[1] ?? 0);
}
