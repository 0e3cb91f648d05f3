import { createLogger } from '@wafleet/runtime';
import {
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { PlacementQueue, type PlacementReason, QUEUE_PREFIX } from './queue.js';
import { Placing, type SweepIntervals } from './testing/placing.js';
import { connect, TestWorker, type TestWorkerOptions } from './testing/test-worker.js';

const logger = createLogger({ app: 'placement-test', level: 'silent' });

let server: TestRedis;
let redis: RedisConnection;
let sessions: SessionDirectory;
let ownership: Ownership;
let tenantId: string;
let placings: Placing[];
let workers: TestWorker[];
let closing: (() => void)[];

beforeAll(async () => {
  server = await startRedis();
  redis = connect(server.url, 'command');
  sessions = new SessionDirectory(redis);
  ownership = new Ownership(redis);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  placings = [];
  workers = [];
  closing = [];
  await redis.flushall();
  ({ id: tenantId } = await new TenantDirectory(redis).create('Acme'));
});

afterEach(async () => {
  await Promise.all(placings.map((placing) => placing.stop()));
  await Promise.all(workers.map((worker) => worker.die()));
  for (const close of closing) close();
});

/** Sweeps far apart, so that a test sees what the queue alone does. The first ones come at once all the same. */
const SELDOM = { 'watch-workers': 600_000, reconcile: 600_000, rebalance: 600_000 };

async function startPlacing(every?: SweepIntervals): Promise<Placing> {
  const placing = await Placing.start(server.url, every);
  placings.push(placing);
  return placing;
}

/** A queue to which nobody listens yet. */
async function queueAlone(): Promise<PlacementQueue> {
  const connection = connect(server.url, 'queue');
  closing.push(() => connection.disconnect());
  return new PlacementQueue({ connection, logger });
}

/** Waits until sweeps of a kind have been done this many times from now on. */
async function sweepsDone(name: string, times: number): Promise<void> {
  const connection = connect(server.url, 'queue');
  closing.push(() => connection.disconnect());
  const sweeps = new Queue('placement-sweeps', { connection, prefix: QUEUE_PREFIX });
  const done = async () => {
    const jobs = await sweeps.getCompleted();
    return Math.max(0, ...jobs.filter((job) => job.name === name).map((job) => job.finishedOn ?? 0));
  };
  for (let time = 0; time < times; time += 1) {
    const before = await done();
    await waitFor(async () => (await done()) > before, { what: `a sweep "${name}"` });
  }
  await sweeps.close();
}

async function startWorker(options?: TestWorkerOptions): Promise<TestWorker> {
  const worker = await TestWorker.start(server.url, options);
  workers.push(worker);
  return worker;
}

async function end(how: 'crash' | 'die' | 'drain', worker: TestWorker): Promise<void> {
  workers = workers.filter((one) => one !== worker);
  await worker[how]();
}

async function createSessions(count: number): Promise<SessionRef[]> {
  const refs = Array.from({ length: count }, (_, index) => ({ tenantId, sessionId: `session-${index}` }));
  await Promise.all(refs.map((ref) => sessions.create(ref)));
  return refs;
}

async function createSession(): Promise<SessionRef> {
  const [ref] = await createSessions(1);
  if (ref === undefined) throw new Error('no session was created');
  return ref;
}

function ask(placing: Placing, ref: SessionRef, reason: PlacementReason = 'create'): Promise<void> {
  return placing.queue.enqueue({ ...ref, reason, avoid: [] });
}

function ownerOf(ref: SessionRef): Promise<string | undefined> {
  return ownership.read(ref).then((owner) => owner?.worker);
}

function ownedBy(worker: TestWorker, refs: readonly SessionRef[]): Promise<boolean> {
  return waitFor(async () => (await Promise.all(refs.map(ownerOf))).every((owner) => owner === worker.id), {
    what: 'the worker owns the sessions',
  });
}

function shows(ref: SessionRef, reason: string): Promise<boolean> {
  return waitFor(
    async () => {
      const session = await sessions.get(ref);
      return session?.status === 'queued' && session.reason === reason;
    },
    { what: `the session shows "${reason}"` },
  );
}

test('a created session gets a worker', async () => {
  const placing = await startPlacing(SELDOM);
  const worker = await startWorker();
  const ref = await createSession();
  await ask(placing, ref);
  await ownedBy(worker, [ref]);
});

test('many requests for a session place it once, and one for a session that is owned does nothing', async () => {
  const placing = await startPlacing(SELDOM);
  const worker = await startWorker();
  const [ref, next] = await createSessions(2);
  if (ref === undefined || next === undefined) throw new Error('no sessions');
  await Promise.all(Array.from({ length: 50 }, () => ask(placing, ref)));
  await ownedBy(worker, [ref]);
  await ask(placing, ref, 'crash');
  await ask(placing, next, 'rebalance');
  await ownedBy(worker, [next]);
  expect(worker.assignments).toBe(2);
  expect(await ownership.read(ref)).toEqual({ epoch: 1, worker: worker.id });
});

test('two placers fill three workers up to their capacities, each session owned once', async () => {
  const [placing] = await Promise.all([startPlacing(SELDOM), startPlacing(SELDOM)]);
  await Promise.all([
    startWorker({ capacity: 10 }),
    startWorker({ capacity: 20 }),
    startWorker({ capacity: 30 }),
  ]);
  const refs = await createSessions(60);
  await placing.queue.enqueueAll(refs.map((ref) => ({ ...ref, reason: 'create', avoid: [] })));
  const ownedIds = () => workers.flatMap((worker) => [...worker.fences.keys()]);
  await waitFor(() => ownedIds().length >= refs.length, {
    what: 'every session has an owner',
    timeoutMs: 20_000,
  });
  const owned = ownedIds();
  expect(owned.sort()).toEqual(refs.map(({ sessionId }) => sessionId).sort());
  const epochs = await ownership.readMany(refs);
  expect(epochs.map((owner) => owner?.epoch)).toEqual(refs.map(() => 1));
});

test.each(['refuse', 'pretend'] as const)('a worker that would only %s is passed over', async (behaviour) => {
  const placing = await startPlacing(SELDOM);
  await startWorker({ behaviour, release: '2.0.0' });
  const willing = await startWorker({ release: '1.0.0' });
  const ref = await createSession();
  await ask(placing, ref);
  await ownedBy(willing, [ref]);
});

test('while no worker runs or has room the session says so, and it is placed as soon as one does', async () => {
  const placing = await startPlacing(SELDOM);
  const first = await createSession();
  await ask(placing, first);
  await shows(first, 'no worker is running');

  const small = await startWorker({ capacity: 1 });
  await ownedBy(small, [first]);
  const second = { tenantId, sessionId: 'second' };
  await sessions.create(second);
  await ask(placing, second);
  await shows(second, 'no worker has room');

  const large = await startWorker();
  await ownedBy(large, [second]);
});

test('when all workers refuse, the session says so, and it is placed once one does not', async () => {
  const placing = await startPlacing();
  const worker = await startWorker({ behaviour: 'refuse' });
  const ref = await createSession();
  await ask(placing, ref);
  await shows(ref, 'no worker took the session');
  worker.behaviour = 'claim';
  await ownedBy(worker, [ref]);
});

test.each(['die', 'crash'] as const)(
  'the sessions of a worker that had to %s go to another one, under a new epoch',
  async (how) => {
    await startPlacing();
    const first = await startWorker();
    const refs = await createSessions(20);
    await ownedBy(first, refs);

    const second = await startWorker();
    // Only a lifeline that a look has seen open is missed; of another one its lease decides.
    await sweepsDone('watch-workers', 2);
    await end(how, first);
    await ownedBy(second, refs);
    const owners = await ownership.readMany(refs);
    expect(owners.map((owner) => owner?.epoch)).toEqual(refs.map(() => 2));
  },
);

test('the sessions of a dead worker that nobody can take show why', async () => {
  await startPlacing();
  const only = await startWorker();
  const ref = await createSession();
  await ownedBy(only, [ref]);
  await end('die', only);
  await shows(ref, 'no worker is running');
});

test('the sessions of a draining worker go to another one', async () => {
  await startPlacing();
  const first = await startWorker();
  const refs = await createSessions(20);
  await ownedBy(first, refs);
  const second = await startWorker();
  await end('drain', first);
  await ownedBy(second, refs);
});

test.each(['drain', 'rebalance'] as const)(
  'a request to %s moves a session from a live worker',
  async (reason) => {
    const placing = await startPlacing(SELDOM);
    const first = await startWorker();
    const ref = await createSession();
    await ask(placing, ref);
    await ownedBy(first, [ref]);
    await ask(placing, ref, reason);

    const second = await startWorker();
    await placing.queue.enqueue({ ...ref, reason, expectPrevious: first.id, avoid: [] });
    await ownedBy(second, [ref]);
    expect(first.fences.size).toBe(0);
    expect((await ownership.read(ref))?.epoch).toBe(2);
  },
);

test('a request to move a session from an owner it does not have any more does nothing', async () => {
  const placing = await startPlacing(SELDOM);
  const [worker] = await Promise.all([startWorker()]);
  const [moved, marker] = await createSessions(2);
  if (moved === undefined || marker === undefined) throw new Error('no sessions');
  await ask(placing, moved);
  await ownedBy(worker, [moved]);
  await startWorker({ release: '2.0.0' });
  await placing.queue.enqueue({ ...moved, reason: 'rebalance', expectPrevious: 'wrk_gone', avoid: [] });
  await ask(placing, marker, 'rebalance');
  await waitFor(() => ownerOf(marker), { what: 'the later request is served' });
  expect(await ownerOf(moved)).toBe(worker.id);
});

test('a session that was purged or rests is not placed', async () => {
  const placing = await startPlacing();
  const worker = await startWorker();
  const [loggedOut, closed, purged, marker] = await createSessions(4);
  if (!loggedOut || !closed || !purged || !marker) throw new Error('no sessions');
  await ownedBy(worker, [loggedOut, closed, purged, marker]);
  const fence = worker.fences.get(loggedOut.sessionId);
  if (fence === undefined) throw new Error('no fence');
  await sessions.setStatus(fence, { status: 'logged_out' });
  await sessions.setDesired(closed, 'closed');
  await sessions.purge(purged);

  const next = await startWorker();
  await end('die', worker);
  await Promise.all([loggedOut, closed, purged].map((ref) => ask(placing, ref, 'crash')));
  await ownedBy(next, [marker]);
  await waitFor(() => next.assignments === 1, { what: 'one session is assigned' });
  expect(next.assignments).toBe(1);
});

test.each(['die', 'drain'] as const)(
  'every session comes back when all processes %s and start again',
  async (how) => {
    const placing = await startPlacing();
    const worker = await startWorker();
    const refs = await createSessions(30);
    await ownedBy(worker, refs);
    await placing.stop();
    placings = [];
    await end(how, worker);

    const next = await startWorker();
    await startPlacing();
    await ownedBy(next, refs);
  },
);

test('placements go on when Redis was restarted', async () => {
  const placing = await startPlacing();
  const worker = await startWorker();
  const [before, after] = await createSessions(2);
  if (before === undefined || after === undefined) throw new Error('no sessions');
  await ownedBy(worker, [before, after]);
  await server.kill();
  await server.restart();
  const ref = { tenantId, sessionId: 'later' };
  await waitFor(() => sessions.create(ref).then(() => true), { what: 'Redis is back' });
  await ask(placing, ref);
  await ownedBy(worker, [ref]);
});

test('one session of a tenant does not wait for the many of another one', async () => {
  const many = await createSessions(200);
  const { id: other } = await new TenantDirectory(redis).create('Globex');
  const single = { tenantId: other, sessionId: 'single' };
  await sessions.create(single);
  const queue = await queueAlone();
  await queue.enqueueAll(many.map((ref) => ({ ...ref, reason: 'crash' as const, avoid: [] })));
  await queue.enqueue({ ...single, reason: 'crash', avoid: [] });
  await queue.close();

  const worker = await startWorker({ capacity: 500 });
  await startPlacing(SELDOM);
  await waitFor(() => worker.fences.size > many.length, { what: 'all are placed', timeoutMs: 20_000 });
  const order = [...worker.fences.keys()];
  // As many are served at the same time as a placer takes.
  expect(order.indexOf(single.sessionId)).toBeLessThan(40);
});

test('sessions move to a worker that joins until both have about the same, and then stay', async () => {
  const placing = await startPlacing({ ...SELDOM, 'watch-workers': 100, rebalance: 200 });
  const first = await startWorker();
  const refs = await createSessions(12);
  await Promise.all(refs.map((ref) => ask(placing, ref)));
  await ownedBy(first, refs);
  const second = await startWorker();
  await waitFor(() => second.fences.size >= 5, { what: 'sessions have moved' });
  // Sweeps that find nothing to do.
  await sweepsDone('rebalance', 3);
  expect(Math.abs(first.fences.size - second.fences.size)).toBeLessThanOrEqual(2);
  const epochs = (await ownership.readMany(refs)).map((owner) => owner?.epoch ?? 0);
  expect(Math.max(...epochs), 'each moved once at the most').toBe(2);
});

test('a session that is being linked does not move', async () => {
  const placing = await startPlacing(SELDOM);
  const first = await startWorker();
  const [linking, marker] = await createSessions(2);
  if (linking === undefined || marker === undefined) throw new Error('no sessions');
  await ask(placing, linking);
  await ownedBy(first, [linking]);
  const fence = first.fences.get(linking.sessionId);
  if (fence === undefined) throw new Error('no fence');
  await sessions.setStatus(fence, { status: 'awaiting_link' });
  const second = await startWorker();
  const move = { reason: 'rebalance', expectPrevious: first.id, to: second.id, avoid: [] } as const;
  await placing.queue.enqueue({ ...linking, ...move });
  await ask(placing, marker, 'rebalance');
  await waitFor(() => ownerOf(marker), { what: 'the later request is served' });
  expect(await ownerOf(linking)).toBe(first.id);
});

test('a session whose worker died while it was to be moved goes to any worker', async () => {
  const placing = await startPlacing(SELDOM);
  const first = await startWorker();
  const ref = await createSession();
  await ask(placing, ref);
  await ownedBy(first, [ref]);
  await end('die', first);
  const second = await startWorker();
  const move = { reason: 'rebalance', expectPrevious: first.id, to: 'wrk_gone', avoid: [] } as const;
  await placing.queue.enqueue({ ...ref, ...move });
  await ownedBy(second, [ref]);
});

test('no request stays in the queue: each session has a worker, or a reason that is shown', async () => {
  await startPlacing();
  const { id: other } = await new TenantDirectory(redis).create('Globex');
  const refs = [
    ...(await createSessions(30)),
    ...Array.from({ length: 10 }, (_, index) => ({ tenantId: other, sessionId: `other-${index}` })),
  ];
  await Promise.all(refs.slice(30).map((ref) => sessions.create(ref)));
  await Promise.all([
    startWorker({ capacity: 20 }),
    startWorker({ behaviour: 'refuse' }),
    startWorker({ behaviour: 'pretend' }),
  ]);
  const shown = async (ref: SessionRef) => {
    const session = await sessions.get(ref);
    return session?.worker !== undefined || (session?.reason !== undefined && session.reason !== '');
  };
  await waitFor(async () => (await Promise.all(refs.map(shown))).every(Boolean), {
    what: 'every session has a worker or a reason',
    timeoutMs: 30_000,
  });
  const third = await startWorker({ capacity: 40, release: '1.0.1' });
  await waitFor(async () => (await Promise.all(refs.map(ownerOf))).every((owner) => owner !== undefined), {
    what: 'every session has a worker once there is room',
    timeoutMs: 40_000,
  });
  expect(third.fences.size).toBeGreaterThan(0);
});
