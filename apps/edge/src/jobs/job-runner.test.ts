import type { CreateJobBody, JobView } from '@wafleet/contract';
import { JobRuns, JobWakeUps } from '@wafleet/store';
import type { Handle, TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterFixture } from '../testing/cluster-fixture.js';
import type { TestTenant } from '../testing/test-cluster.js';
import { jobMessageId } from './job-message-id.js';

const fixture = new ClusterFixture();
let worker: TestWorker;

/** Echoes the message id, as a worker does once WhatsApp has taken the message. */
const deliver: Handle = async (command) => ('messageId' in command ? { messageId: command.messageId } : {});

beforeAll(() => fixture.start(2, { jobsAtOnce: 4 }));
beforeEach(async () => {
  await fixture.beginTest();
  worker = await fixture.cluster.startWorker(deliver);
  await worker.own(fixture.tenant.tenantId, 'shop');
});
afterAll(() => fixture.stop());

const texts = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ to: '15550001000', text: String(index) }));

const clientOf = ({ key }: TestTenant, edge = fixture.edge) => edge.client(key);
const create = (body: CreateJobBody, of = fixture.tenant) =>
  clientOf(of).call('create-job', { params: { id: 'shop' }, body });

const ended = (job: string, of = fixture.tenant): Promise<JobView> =>
  waitFor(
    async () => {
      const found = await clientOf(of, fixture.otherEdge).call('get-job', { params: { job } });
      return found.endedAt === undefined ? undefined : found;
    },
    { what: 'the end of the job' },
  );

const sentBy = (...workers: TestWorker[]) =>
  workers.flatMap(({ received }) => received.map((command) => ('text' in command ? command.text : '')));
const numbers = (count: number) => texts(count).map(({ text }) => text);

describe('several edges', () => {
  it('send each message of many jobs once, in order', async () => {
    const tenants = [
      fixture.tenant,
      await fixture.cluster.createTenant(),
      await fixture.cluster.createTenant(),
    ];
    const workers: TestWorker[] = [];
    for (const tenant of tenants) {
      const own = tenant === fixture.tenant ? worker : await fixture.cluster.startWorker(deliver);
      if (own !== worker) await own.own(tenant.tenantId, 'shop');
      workers.push(own);
    }
    const jobs = await Promise.all(tenants.map((tenant) => create({ messages: texts(50) }, tenant)));
    for (const [index, { id }] of jobs.entries()) {
      expect(await ended(id, tenants[index])).toMatchObject({ state: 'done', counts: { sent: 50 } });
    }
    for (const each of workers) expect(sentBy(each)).toEqual(numbers(50));
  });

  it('go on with a job whose edge died while it sent a message, under the same id', async () => {
    const { tenantId } = fixture.tenant;
    const { id: jobId } = await create({
      messages: texts(3),
      at: new Date(Date.now() + 60_000).toISOString(),
    });
    const ref = { tenantId, jobId };
    const record = `wf:{${tenantId}}:job:${jobId}`;
    const { connection } = fixture.cluster;
    // As another edge that dies while the first message is sent: its hold ends, and the job is due again.
    await connection.hset(record, 'at', '1');
    const runs = new JobRuns(connection);
    const claim = await runs.claim(ref, 'shop', 'dead');
    if (claim.outcome !== 'claimed') throw new Error('the job was not claimed');
    await runs.begin(claim.run);
    await connection.hset(record, 'until', '1');
    await new JobWakeUps(connection).put(ref, 0);

    expect(await ended(jobId)).toMatchObject({ state: 'done', counts: { sent: 3, unknown: 0 } });
    const ids = worker.received.map((command) => ('messageId' in command ? command.messageId : ''));
    expect(ids).toEqual([0, 1, 2].map((index) => jobMessageId(ref, index)));
    expect(await runs.end(claim.run, 0, { outcome: 'sent' })).toEqual({ state: 'lost' });
  });

  it('go on with a job when one of them stops', async () => {
    const edge = await fixture.cluster.startEdge({ jobsAtOnce: 4 });
    const half = new Promise<void>((resolve) => {
      worker.handle = async (command, of) => {
        if (worker.received.length === 20) resolve();
        return deliver(command, of);
      };
    });
    const { id } = await edge
      .client(fixture.tenant.key)
      .call('create-job', { params: { id: 'shop' }, body: { messages: texts(60) } });
    await half;
    await edge.stop();
    expect(await ended(id)).toMatchObject({ state: 'done', counts: { sent: 60 } });
    expect(sentBy(worker)).toEqual(numbers(60));
  });

  it('leave room for a tenant with one job while another one has many that take long', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    worker.handle = async (command, of) => {
      await held;
      return deliver(command, of);
    };
    const many = [];
    for (let count = 0; count < 12; count += 1) many.push(await create({ messages: texts(1) }));
    await waitFor(() => worker.received.length === 1, { what: 'the first one is sent' });
    const modest = await fixture.cluster.createTenant();
    const other = await fixture.cluster.startWorker(deliver);
    await other.own(modest.tenantId, 'shop');
    const { id } = await create({ messages: texts(2) }, modest);
    expect(await ended(id, modest)).toMatchObject({ state: 'done', counts: { sent: 2 } });
    release();
    for (const job of many) expect(await ended(job.id)).toMatchObject({ state: 'done' });
  });
});

it('an edge that is to run no jobs stores them for others', async () => {
  const idle = await fixture.cluster.startEdge({ jobsAtOnce: 0 });
  const { id } = await idle
    .client(fixture.tenant.key)
    .call('create-job', { params: { id: 'shop' }, body: { messages: texts(2) } });
  expect(await ended(id)).toMatchObject({ state: 'done' });
});

it('a job whose wake-up Redis has lost is run nevertheless', async () => {
  const { tenantId } = fixture.tenant;
  const { connection } = fixture.cluster;
  const { id } = await create({ messages: texts(2), at: new Date(Date.now() + 60_000).toISOString() });
  await connection.hset(`wf:{${tenantId}}:job:${id}`, 'at', '1');
  await connection.del('wf:{jobs}:due', 'wf:{jobs}:checked');
  await fixture.cluster.startEdge({ jobsAtOnce: 1 });
  expect(await ended(id)).toMatchObject({ state: 'done', counts: { sent: 2 } });
});

it('messages keep the pace of their job', async () => {
  const { id } = await create({ messages: texts(3), pace: 300 });
  const job = await ended(id);
  expect(job).toMatchObject({ state: 'done', pace: 300, counts: { sent: 3 } });
  const { items } = await clientOf(fixture.tenant).call('list-job-messages', {
    ...{ params: { job: id }, query: {} },
  });
  const times = items.map(({ at = '' }) => Date.parse(at));
  for (const [index, time] of times.entries()) {
    // From the beginning of a message to that of the next one there are 200 ms. What is known is when each was sent.
    if (index > 1) expect(time - (times[0] ?? 0)).toBeGreaterThanOrEqual(300);
  }
});

it('a message that an edge of a later release stored waits for it, and a lost one fails', async () => {
  const { tenantId } = fixture.tenant;
  const { id } = await create({ messages: texts(2), at: new Date(Date.now() + 60_000).toISOString() });
  const list = `wf:{${tenantId}}:job-texts:${id}`;
  await fixture.cluster.connection.lset(list, 0, 'damaged');
  await fixture.cluster.connection.lset(list, 1, '{"to":"15550001000","content":{"type":"hologram"}}');
  await fixture.cluster.connection.hset(`wf:{${tenantId}}:job:${id}`, 'at', '1');
  await new JobWakeUps(fixture.cluster.connection).put({ tenantId, jobId: id }, 0);
  const job = await waitFor(
    async () => {
      const found = await clientOf(fixture.tenant).call('get-job', { params: { job: id } });
      return found.waitsFor === undefined ? undefined : found;
    },
    { what: 'the job waits' },
  );
  expect(job).toMatchObject({
    ...{ state: 'running', waitsFor: { code: 'NOT_SUPPORTED' } },
    counts: { failed: 1, waiting: 1 },
  });
  expect(worker.received).toEqual([]);
});
