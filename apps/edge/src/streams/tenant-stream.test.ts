import { createLogger } from '@wafleet/runtime';
import { EventLog, type Fence, type LoggedEvent } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { TestCluster } from '../testing/test-cluster.js';
import { TenantStream } from './tenant-stream.js';

let cluster: TestCluster;
let worker: TestWorker;
let log: EventLog;
let tenantId: string;
let fence: Fence;
let delivered: LoggedEvent[];
let filled: number[];
let stream: TenantStream;

beforeAll(async () => {
  cluster = await TestCluster.start();
  worker = await cluster.startWorker();
  log = new EventLog(cluster.connection);
});
beforeEach(async () => {
  ({ tenantId } = await cluster.createTenant());
  fence = await worker.own(tenantId, 'shop-1');
  // The first event begins an epoch of the log, which only the log reports.
  await publish();
  delivered = [];
  filled = [];
  stream = makeStream(log);
});
afterAll(() => cluster.stop());

function makeStream(from: Pick<EventLog, 'read' | 'position'>): TenantStream {
  return new TenantStream({
    tenantId,
    log: from,
    deliver: (event) => delivered.push(event),
    onLost: () => {},
    onFilled: (events) => filled.push(events),
    logger: createLogger({ app: 'test', level: 'silent' }),
  });
}

/** Publishes an event; what the channel would bring is left to the test. */
async function publish(): Promise<LoggedEvent> {
  const after = await log.position(tenantId);
  await worker.publish(fence, 'presence.update', { id: 'a@lid', presences: {} });
  const [event] = (await log.read(tenantId, { after, count: 1 })).events;
  if (event === undefined) throw new Error('the event is not in the log');
  return event;
}

/** Checks the log. The second check after the stream has moved reads it. */
async function look(): Promise<void> {
  await stream.check();
  await stream.check();
}

/** The events after the first one. */
const seqs = () => delivered.map(({ position }) => position.seq - 1);

it('leaves to the channel what is on its way when the log is looked at', async () => {
  await stream.begin();
  for (const seq of [1, 2, 3]) {
    const underWay = await publish();
    await look();
    stream.receive(underWay);
    expect(seqs().at(-1)).toBe(seq);
  }
  await stream.check();
  expect(seqs()).toEqual([1, 2, 3]);
  expect(filled).toEqual([]);
});

it('reads what the channel has not brought by the next look, and no more than once', async () => {
  await stream.begin();
  stream.receive(await publish());
  await publish();
  await look();
  expect(seqs()).toEqual([1]);
  await stream.check();
  await waitFor(() => filled.length > 0, { what: 'the log is read' });
  expect(seqs()).toEqual([1, 2]);
  expect(filled).toEqual([1]);
  await stream.check();
  await stream.check();
  expect(filled).toEqual([1]);
});

it('does not ask the log while events come, which show by themselves what is missing', async () => {
  let asked = 0;
  stream = makeStream({
    read: (...args) => log.read(...args),
    position: (...args) => {
      asked += 1;
      return log.position(...args);
    },
  });
  await stream.begin();
  for (let events = 0; events < 3; events += 1) {
    stream.receive(await publish());
    await stream.check();
  }
  expect(asked).toBe(1);
  await stream.check();
  expect(asked).toBe(2);
});

it('finds what was lost although later events are on their way at each look', async () => {
  await stream.begin();
  await publish();
  await look();
  await publish();
  await stream.check();
  await waitFor(() => filled.length > 0, { what: 'the log is read' });
  expect(seqs()).toEqual([1, 2]);
});

it('reads at once what a gap on the channel shows, and what a new subscription may have missed', async () => {
  await stream.begin();
  await publish();
  stream.receive(await publish());
  await waitFor(() => filled.length === 1, { what: 'the gap is filled' });
  expect(seqs()).toEqual([1, 2]);
  await publish();
  await stream.catchUp();
  await waitFor(() => filled.length === 2, { what: 'the rest is read' });
  expect(seqs()).toEqual([1, 2, 3]);
});

it('does not count as missing what the channel brought while it began', async () => {
  const slowLog: Pick<EventLog, 'read' | 'position'> = {
    read: (...args) => log.read(...args),
    position: async () => {
      const head = await log.position(tenantId);
      stream.receive(await publish());
      return head;
    },
  };
  stream = makeStream(slowLog);
  await stream.begin();
  await waitFor(() => stream.position?.seq === 2, { what: 'it has the event' });
  stream.receive(await publish());
  expect(seqs()).toEqual([1, 2]);
  expect(filled).toEqual([]);
});

it('does not count as missing the event with which a log begins', async () => {
  ({ tenantId } = await cluster.createTenant());
  fence = await worker.own(tenantId, 'shop-1');
  stream = makeStream(log);
  await stream.begin();
  stream.receive(await publish());
  await waitFor(() => delivered.length === 1, { what: 'it is delivered' });
  stream.receive(await publish());
  expect(delivered).toHaveLength(2);
  expect(filled).toEqual([]);
});
