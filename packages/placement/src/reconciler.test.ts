import { deferRemoval } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { assignmentsTo } from './testing/assignments.js';
import { useScene } from './testing/scene.js';

const scene = useScene();

test('the sessions of a draining worker go to another one', async () => {
  await scene.startPlacing();
  const first = await scene.startWorker();
  const refs = await scene.createSessions(20);
  await scene.ownedBy(first, refs);
  const second = await scene.startWorker();
  await scene.end('drain', first);
  await scene.ownedBy(second, refs);
});

test.each(['die', 'drain'] as const)(
  'every session comes back when all processes %s and start again',
  async (how) => {
    await scene.startPlacing();
    const worker = await scene.startWorker();
    const refs = await scene.createSessions(30);
    await scene.ownedBy(worker, refs);
    await scene.endPlacings();
    await scene.end(how, worker);

    const next = await scene.startWorker();
    await scene.startPlacing();
    await scene.ownedBy(next, refs);
  },
);

test('placements go on when Redis was restarted', async () => {
  const placing = await scene.startPlacing();
  const worker = await scene.startWorker();
  await scene.ownedBy(worker, await scene.createSessions(2));
  await scene.server.kill();
  await scene.server.restart();
  const ref = { tenantId: scene.tenantId, sessionId: 'later' };
  await waitFor(() => scene.sessions.create(ref).then(() => true), { what: 'Redis is back' });
  await scene.ask(placing, ref);
  await scene.ownedBy(worker, [ref]);
});

test('a session that rests is taken from its worker when that one is dead', async () => {
  await scene.startPlacing();
  const worker = await scene.startWorker();
  const [failed, open] = await scene.createSessions(2);
  if (failed === undefined || open === undefined) throw new Error('two sessions were to be made');
  await scene.ownedBy(worker, [failed, open]);
  await scene.sessions.setStatus(worker.fenceOf(failed), { status: 'failed' });
  await scene.end('die', worker);
  await waitFor(async () => (await scene.ownerOf(failed)) === undefined, {
    what: 'the session has no owner',
  });
  expect(await scene.ownerOf(open)).toBe(worker.id);
  expect((await scene.sessions.require(failed)).status).toBe('failed');
});

test('a session whose removal failed gets no worker until the next attempt is due', async () => {
  const first = await scene.startWorker();
  const [session] = await scene.createSessions(1);
  if (session === undefined) throw new Error('a session was to be made');
  await first.open(session);
  await scene.sessions.markRemoval(session, { patienceMs: 3_600_000 });
  await deferRemoval(scene.redis, first.fenceOf(session));
  await scene.ownership.release(first.fenceOf(session));
  const placing = await scene.startPlacing({ 'watch-workers': 100, reconcile: 100, rebalance: 600_000 });
  await scene.sweepsDone('reconcile', 3);
  await scene.ask(placing, session);
  const other = { tenantId: scene.tenantId, sessionId: 'other' };
  await scene.sessions.create(other);
  await waitFor(async () => (await scene.ownerOf(other)) !== undefined, { what: 'placements are made' });
  expect(await scene.ownerOf(session)).toBeUndefined();
  await scene.redis.hset(`wf:{${scene.tenantId}}:session:${session.sessionId}`, 'removeAfter', Date.now());
  await waitFor(async () => (await scene.ownerOf(session)) !== undefined, { what: 'the next attempt' });
});

test('a worker that has a session to be removed is reminded of it, and no other worker gets it', async () => {
  const owner = await scene.startWorker();
  const [session] = await scene.createSessions(1);
  if (session === undefined) throw new Error('a session was to be made');
  await owner.open(session);
  const other = await scene.startWorker();
  await scene.sessions.markRemoval(session, { patienceMs: 3_600_000 });
  await scene.startPlacing({ 'watch-workers': 600_000, reconcile: 100, rebalance: 600_000 });
  await waitFor(() => assignmentsTo(owner) > 0, { what: 'the owner is reminded' });
  expect(await scene.ownerOf(session)).toBe(owner.id);
  expect(assignmentsTo(other)).toBe(0);
});
