import { executeCommand } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { Queue } from 'bullmq';
import { test } from 'vitest';
import { PLACEMENT_QUEUE, QUEUE_PREFIX } from './queue.js';
import { refuseAssignments } from './testing/assignments.js';
import { connect } from './testing/connect.js';
import { SELDOM, useScene } from './testing/scene.js';

const scene = useScene();

/** By how much the clock of a placer that ended was ahead. */
const AHEAD_MS = 3_600_000;

test('sweeps that a placer with a clock ahead has scheduled are done by the next placer', async () => {
  await scene.startPlacing();
  const first = await scene.startWorker();
  const refs = await scene.createSessions(3);
  await scene.ownedBy(first, refs);
  await scene.endPlacings();
  await withQueue('placement-sweeps', async (queue) => {
    for (const { key, next, every, name } of await queue.getJobSchedulers()) {
      if (next === undefined) throw new Error(`the sweep ${key} was to be scheduled`);
      await queue.removeJobScheduler(key);
      await queue.upsertJobScheduler(key, { every: every ?? 0, startDate: next + AHEAD_MS }, { name });
    }
  });
  const second = await scene.startWorker();
  await scene.end('die', first);
  await scene.startPlacing();
  await scene.ownedBy(second, refs);
});

test('a request that a placer with a clock ahead has put off is served by the next placer', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const worker = await scene.startWorker({ handle: refuseAssignments });
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.shows(ref, 'no worker took the session');
  await scene.endPlacings();
  await withQueue(PLACEMENT_QUEUE, async (queue) => {
    const putOff = async () => {
      const delayed = await queue.getDelayed();
      for (const job of delayed) await job.changeDelay(AHEAD_MS);
      return delayed.length === 1;
    };
    await waitFor(putOff, { what: 'the request is put off' });
  });
  worker.handle = executeCommand;
  await scene.startPlacing();
  await scene.ownedBy(worker, [ref]);
});

async function withQueue(name: string, use: (queue: Queue) => Promise<void>): Promise<void> {
  const connection = connect(scene.server.url, 'queue');
  const queue = new Queue(name, { connection, prefix: QUEUE_PREFIX });
  try {
    await use(queue);
  } finally {
    await queue.close();
    connection.disconnect();
  }
}
