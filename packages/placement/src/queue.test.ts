import type { SessionRef } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { assignmentsTo, pretendAssignments, refuseAssignments } from './testing/assignments.js';
import { SELDOM, useScene } from './testing/scene.js';

const scene = useScene();

test('many requests for a session place it once, and one for a session that is owned does nothing', async () => {
  const placing = await scene.startPlacing(SELDOM);
  const worker = await scene.startWorker();
  const ref = await scene.createSession('first');
  const next = await scene.createSession('next');
  await Promise.all(Array.from({ length: 50 }, () => scene.ask(placing, ref)));
  await scene.ownedBy(worker, [ref]);
  await scene.ask(placing, ref, 'crash');
  await scene.ask(placing, next, 'rebalance');
  await scene.ownedBy(worker, [next]);
  expect(assignmentsTo(worker)).toBe(2);
  expect(await scene.ownership.read(ref)).toEqual({ epoch: 1, worker: worker.id });
});

test('two placers fill three workers up to their capacities, each session owned once', async () => {
  const [placing] = await Promise.all([scene.startPlacing(SELDOM), scene.startPlacing(SELDOM)]);
  await Promise.all([
    scene.startWorker({ capacity: 10 }),
    scene.startWorker({ capacity: 20 }),
    scene.startWorker({ capacity: 30 }),
  ]);
  const refs = await scene.createSessions(60);
  await placing.queue.enqueueAll(refs.map((ref) => ({ ...ref, reason: 'create', avoid: [] })));
  const ownedIds = () => scene.workers.flatMap(({ fences }) => fences.map(({ sessionId }) => sessionId));
  await waitFor(() => ownedIds().length >= refs.length, {
    what: 'every session has an owner',
    timeoutMs: 20_000,
  });
  const owned = ownedIds();
  expect(owned.sort()).toEqual(refs.map(({ sessionId }) => sessionId).sort());
  const epochs = await scene.ownership.readMany(refs);
  expect(epochs.map((owner) => owner?.epoch)).toEqual(refs.map(() => 1));
});

test('one session of a tenant does not wait for the many of another one', async () => {
  const many = await scene.createSessions(200);
  const other = await scene.createTenant('Globex');
  const single = { tenantId: other, sessionId: 'single' };
  await scene.sessions.create(single);
  const queue = scene.queueAlone();
  await queue.enqueueAll(many.map((ref) => ({ ...ref, reason: 'crash' as const, avoid: [] })));
  await queue.enqueue({ ...single, reason: 'crash', avoid: [] });
  await queue.close();

  const worker = await scene.startWorker({ capacity: 500 });
  await scene.startPlacing(SELDOM);
  await waitFor(() => worker.fences.length > many.length, { what: 'all are placed', timeoutMs: 20_000 });
  const order = worker.fences.map(({ sessionId }) => sessionId);
  // As many are served at the same time as a placer takes.
  expect(order.indexOf(single.sessionId)).toBeLessThan(40);
});

test('no request stays in the queue: each session has a worker, or a reason that is shown', async () => {
  await scene.startPlacing();
  const other = await scene.createTenant('Globex');
  const refs = [
    ...(await scene.createSessions(30)),
    ...Array.from({ length: 10 }, (_, index) => ({ tenantId: other, sessionId: `other-${index}` })),
  ];
  await Promise.all(refs.slice(30).map((ref) => scene.sessions.create(ref)));
  await Promise.all([
    scene.startWorker({ capacity: 20 }),
    scene.startWorker({ handle: refuseAssignments }),
    scene.startWorker({ handle: pretendAssignments }),
  ]);
  const shown = async (ref: SessionRef) => {
    const session = await scene.sessions.get(ref);
    return session?.worker !== undefined || (session?.reason !== undefined && session.reason !== '');
  };
  await waitFor(async () => (await Promise.all(refs.map(shown))).every(Boolean), {
    what: 'every session has a worker or a reason',
    timeoutMs: 30_000,
  });
  const third = await scene.startWorker({ capacity: 40, release: '1.0.1' });
  const owners = () => Promise.all(refs.map((ref) => scene.ownerOf(ref)));
  await waitFor(async () => (await owners()).every((owner) => owner !== undefined), {
    what: 'every session has a worker once there is room',
    timeoutMs: 40_000,
  });
  expect(third.fences.length).toBeGreaterThan(0);
});
