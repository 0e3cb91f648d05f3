import { executeCommand } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { PLACEMENT_QUEUE, QUEUE_PREFIX } from './queue.js';
import { assignmentsTo, pretendAssignments, refuseAssignments } from './testing/assignments.js';
import { connect } from './testing/connect.js';
import { SELDOM, useScene } from './testing/scene.js';

const scene = useScene();

test('a created session gets a worker', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const worker = await scene.startWorker();
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.ownedBy(worker, [ref]);
});

test.each([
  ['refuse', refuseAssignments],
  ['pretend', pretendAssignments],
])('a worker that would only %s is passed over', async (_, handle) => {
  const placing = await scene.startPlacing(SELDOM);
  await scene.startWorker({ handle, release: '2.0.0' });
  const willing = await scene.startWorker({ release: '1.0.0' });
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.ownedBy(willing, [ref]);
});

test('a session shows that no worker runs or has room, and is placed as soon as one has room', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const first = await scene.createSession();
  await scene.ask(placing, first);
  await scene.shows(first, 'no worker is running');

  const small = await scene.startWorker({ capacity: 1 });
  await scene.ownedBy(small, [first]);
  const second = await scene.createSession('second');
  await scene.ask(placing, second);
  await scene.shows(second, 'no worker has room');

  const large = await scene.startWorker();
  await scene.ownedBy(large, [second]);
});

test('a session that waits for long is placed as soon as a worker has room', async () => {
  const placing = await scene.startPlacing();
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.shows(ref, 'no worker is running');
  const connection = connect(scene.server.url, 'queue');
  const queue = new Queue(PLACEMENT_QUEUE, { connection, prefix: QUEUE_PREFIX });
  try {
    const waiting = () => queue.getDelayed();
    await waitFor(async () => (await waiting()).length === 1, { what: 'a request that waits' });
    for (const job of await waiting()) await job.changeDelay(3_600_000);
    await scene.ownedBy(await scene.startWorker(), [ref]);
  } finally {
    await queue.close();
    connection.disconnect();
  }
});

test('a session shows that all workers refuse it, and is placed once one accepts', async () => {
  const placing = await scene.startPlacing();
  const worker = await scene.startWorker({ handle: refuseAssignments });
  const ref = await scene.createSession();
  await scene.ask(placing, ref);
  await scene.shows(ref, 'no worker took the session');
  worker.handle = executeCommand;
  await scene.ownedBy(worker, [ref]);
});

test('a session that was purged or rests is not placed', async () => {
  const placing = await scene.startPlacing();
  const worker = await scene.startWorker();
  const loggedOut = await scene.createSession('logged-out');
  const closed = await scene.createSession('closed');
  const purged = await scene.createSession('purged');
  const marker = await scene.createSession('marker');
  await scene.ownedBy(worker, [loggedOut, closed, purged, marker]);
  await scene.sessions.setStatus(worker.fenceOf(loggedOut), { status: 'logged_out' });
  await scene.sessions.setDesired(closed, 'closed');
  await scene.sessions.purge(purged);

  const next = await scene.startWorker();
  await scene.end('die', worker);
  await Promise.all([loggedOut, closed, purged].map((ref) => scene.ask(placing, ref, 'crash')));
  await scene.ownedBy(next, [marker]);
  await waitFor(() => assignmentsTo(next) === 1, { what: 'one session is assigned' });
  expect(assignmentsTo(next)).toBe(1);
});
