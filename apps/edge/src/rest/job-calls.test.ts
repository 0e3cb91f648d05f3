import { type CreateJobBody, type JobMessageState, type JobView, WafleetError } from '@wafleet/contract';
import type { Handle, TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { jobMessageId } from '../jobs/job-message-id.js';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer, sendRequest } from '../testing/raw-request.js';

const fixture = useCluster();
let worker: TestWorker;

/** Echoes the message id, as a worker does once WhatsApp has taken the message. */
const deliver: Handle = async (command) => ('messageId' in command ? { messageId: command.messageId } : {});

/** Has the worker answer only once the returned function is called, as one that waits for WhatsApp. */
function holdAnswers(): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  worker.handle = async (command, of) => {
    await held;
    return deliver(command, of);
  };
  return release;
}

beforeEach(async () => {
  worker = await fixture.cluster.startWorker(deliver);
  const fence = await worker.own(fixture.tenant.tenantId, 'shop');
  await worker.sessions.setStatus(fence, { status: 'open' });
});

const texts = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    to: `1555000${1000 + index}`,
    text: `message ${index}`,
  }));

const create = (body: Partial<CreateJobBody> = {}) =>
  fixture.client.call('create-job', {
    params: { id: 'shop' },
    body: { messages: texts(3), ...body },
  });
const get = (job: string) => fixture.client.call('get-job', { params: { job } });
const messagesOf = (job: string, query: { limit?: number; cursor?: string; state?: JobMessageState } = {}) =>
  fixture.client.call('list-job-messages', { params: { job }, query: { limit: 100, ...query } });
const ended = (job: string) =>
  waitFor(async () => ((found) => (found.endedAt === undefined ? undefined : found))(await get(job)), {
    what: 'the end of the job',
  });
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const tomorrow = () => inDays(1);
const sentTexts = () => worker.received.map((command) => ('text' in command ? command.text : ''));

describe('a job', () => {
  it('sends its messages in order, under ids that are known from the start', async () => {
    const created = await fixture.send('POST /api/sessions/shop/jobs', {
      name: 'Reminders',
      messages: [
        ...texts(2),
        { to: '15550001009', content: { type: 'poll', question: 'Tea?', options: ['a', 'b'] } },
      ],
    });
    expect(created.status).toBe(202);
    const { id } = { id: '', ...(created.body as Partial<JobView>) };
    expect(created.headers.get('location')).toBe(`/api/jobs/${id}`);
    expect(await ended(id)).toMatchObject({
      ...{ session: 'shop', name: 'Reminders', state: 'done', onError: 'continue', progress: 1 },
      counts: { total: 3, sent: 3, failed: 0, unknown: 0, waiting: 0, sending: 0, notSent: 0 },
    });
    const { items } = await messagesOf(id);
    expect(items.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
    const ids = worker.received.map((command) => ('messageId' in command ? command.messageId : ''));
    expect(ids).toEqual(items.map(({ messageId }) => messageId));
    expect(worker.received.map(({ kind }) => kind)).toEqual(['send-text', 'send-text', 'send-message']);
    expect(sentTexts()).toEqual(['message 0', 'message 1', '']);
  });

  it('that is scheduled sends nothing before its time', async () => {
    const at = tomorrow();
    const job = await create({ at });
    expect(job).toMatchObject({ state: 'scheduled', at, nextRunAt: at, counts: { waiting: 3, notSent: 0 } });
    const { items } = await messagesOf(job.id);
    expect(items[0]).toEqual({
      ...{ index: 0, to: '15550001000', state: 'waiting' },
      messageId: jobMessageId({ tenantId: fixture.tenant.tenantId, jobId: job.id }, 0),
    });
    const cancelled = await fixture.client.call('cancel-job', { params: { job: job.id } });
    expect(cancelled).toMatchObject({ state: 'cancelled', counts: { waiting: 0, notSent: 3, sent: 0 } });
    expect((await messagesOf(job.id)).items.map(({ state }) => state)).toEqual(Array(3).fill('not-sent'));
    expect(worker.received).toEqual([]);
  });

  it('goes on after a message that failed, or stops if it is to', async () => {
    const failSecond: Handle = async (command, of) => {
      if ('text' in command && command.text === 'message 1') {
        throw new WafleetError('RECIPIENT_NOT_FOUND', 'Not on WhatsApp.');
      }
      return deliver(command, of);
    };
    worker.handle = failSecond;
    const goesOn = await ended((await create()).id);
    expect(goesOn).toMatchObject({ state: 'done', counts: { sent: 2, failed: 1 } });
    const stops = await ended((await create({ onError: 'stop' })).id);
    expect(stops).toMatchObject({
      ...{ state: 'failed', error: { code: 'RECIPIENT_NOT_FOUND' } },
      counts: { sent: 1, failed: 1, notSent: 1 },
    });
    expect((await messagesOf(stops.id, { state: 'failed' })).items).toMatchObject([{ index: 1 }]);
    expect((await messagesOf(stops.id, { state: 'waiting' })).items).toEqual([]);
    const { items } = await messagesOf(stops.id);
    expect(items.map(({ state, error }) => [state, error?.code])).toEqual([
      ['sent', undefined],
      ['failed', 'RECIPIENT_NOT_FOUND'],
      ['not-sent', undefined],
    ]);
  });

  it('sends a message whose outcome is not known again, under the same id', async () => {
    let count = 0;
    worker.handle = async (command, of) => {
      count += 1;
      if (count === 2) throw new WafleetError('OUTCOME_UNKNOWN', 'No answer came in time.');
      return deliver(command, of);
    };
    const job = await ended((await create()).id);
    expect(job).toMatchObject({ state: 'done', counts: { sent: 3, unknown: 0 } });
    expect(sentTexts()).toEqual(['message 0', 'message 1', 'message 1', 'message 2']);
    const ids = worker.received.map((command) => ('messageId' in command ? command.messageId : ''));
    expect(ids[1]).toBe(ids[2]);
  });

  it('waits for a session that has no worker', async () => {
    const ref = { tenantId: fixture.tenant.tenantId, sessionId: 'shop' };
    await worker.release(worker.fenceOf(ref));
    const { id } = await create();
    await waitFor(async () => (await get(id)).waitsFor?.code === 'NO_WORKER', { what: 'the job waits' });
    expect(await get(id)).toMatchObject({
      ...{ state: 'running', nextRunAt: expect.any(String), counts: { waiting: 3, sending: 0 } },
    });
    await worker.claim(ref);
    await fixture.client.call('resume-job', { params: { job: id } });
    expect(await ended(id)).toMatchObject({ state: 'done', counts: { sent: 3 } });
  });

  it('fails if its session is handed out', async () => {
    worker.handle = async () => {
      throw new WafleetError('SESSION_NOT_OPEN', 'The session is closed.', {
        ...{ status: 'closed', reason: 'exported' },
      });
    };
    expect(await ended((await create()).id)).toMatchObject({
      ...{ state: 'failed', error: { code: 'SESSION_NOT_OPEN', details: { reason: 'exported' } } },
      counts: { sent: 0, failed: 0, notSent: 3 },
    });
  });

  it('posts to channels', async () => {
    const to = '120363144038483540@newsletter';
    for (const body of [
      { messages: [{ to, text: 'news' }] },
      { message: { text: 'news' }, recipients: [{ to }], messages: undefined },
    ]) {
      const { id } = await create(body);
      expect(await ended(id)).toMatchObject({ state: 'done', counts: { sent: 1 } });
      expect((await messagesOf(id)).items).toMatchObject([{ to, state: 'sent' }]);
    }
  });

  it('whose results are damaged is shown without them', async () => {
    const { id } = await create({ at: tomorrow() });
    const list = `wf:{${fixture.tenant.tenantId}}:job-results:${id}`;
    await fixture.cluster.connection.lset(list, 1, '');
    expect((await messagesOf(id)).items.map(({ index, state }) => [index, state])).toEqual([
      [0, 'waiting'],
      [1, 'waiting'],
      [2, 'waiting'],
    ]);
  });

  it('is paused, and goes on where it was', async () => {
    const { id } = await create({ at: tomorrow() });
    await fixture.client.call('pause-job', { params: { job: id } });
    expect(await get(id)).toMatchObject({ state: 'paused', counts: { waiting: 3 } });
    expect(await fixture.client.call('resume-job', { params: { job: id } })).toMatchObject({
      state: 'scheduled',
    });
    await fixture.client.call('cancel-job', { params: { job: id } });
    expect(await fixture.send(`POST /api/jobs/${id}/pause`)).toMatchObject(
      errorAnswer(409, 'JOB_ENDED', { state: 'cancelled' }),
    );
  });

  it('that is cancelled still counts the message that is being sent', async () => {
    const release = holdAnswers();
    const { id } = await create();
    await waitFor(() => worker.received.length === 1, { what: 'the first message' });
    const cancelled = await fixture.client.call('cancel-job', { params: { job: id } });
    expect(cancelled).toMatchObject({ state: 'cancelled', counts: { sending: 1, sent: 0, notSent: 2 } });
    release();
    await waitFor(async () => (await get(id)).counts.sent === 1, { what: 'the result' });
    expect((await get(id)).counts).toMatchObject({ sending: 0, sent: 1, notSent: 2 });
    expect(worker.received).toHaveLength(1);
  });
});

describe('a request', () => {
  it.each([
    ['no messages', { messages: [] }, 'messages'],
    ['too many messages', { messages: Array(1_001).fill({ to: '15550001001', text: 'hi' }) }, 'messages'],
    ['a message that says nothing', { messages: [{ to: '15550001001' }] }, 'messages.0.text'],
    ['a wrong recipient', { messages: [{ to: 'you', text: 'hi' }] }, 'messages.0.to'],
    ['no pace', { pace: 0 }, 'pace'],
    ['a beginning too far ahead', { at: inDays(32) }, 'at'],
    ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['an end too far ahead', { expiresAt: inDays(8) }, 'expiresAt'],
    ['an end before the beginning', { at: inDays(2), expiresAt: inDays(1) }, 'expiresAt'],
  ])('with %s is refused', async (_with, body, field) => {
    const answer = await fixture.send('POST /api/sessions/shop/jobs', { messages: texts(1), ...body });
    expect(answer).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', {
        issues: [expect.objectContaining({ path: `body.${field}` })],
      }),
    );
  });

  const numbered = (count: number, prefix: string, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
  const template = (variables: unknown) => ({
    message: { text: 'hi' },
    recipients: [{ to: '15550001001', variables }],
  });

  it.each([
    ['thousands of variables', template(numbered(100_000, 'k', ''))],
    ['thousands of names of variables that are none', template(numbered(100_000, '-', ''))],
    ['thousands of variables that are no text', template(numbered(100_000, 'k', 1))],
    [
      'thousands of wrong recipients in many messages',
      {
        messages: Array(1_000).fill({
          ...{ to: '15550001001' },
          content: { type: 'text', text: 'x', mentions: Array(300).fill('a') },
        }),
      },
    ],
    ['many wrong recipients', { message: { text: 'hi' }, recipients: Array(1_000).fill({ to: 'you' }) }],
    ['thousands of unknown fields', numbered(100_000, 'k', '')],
  ])('with %s is refused in few words', async (_with, body) => {
    const answer = await fixture.send('POST /api/sessions/shop/jobs', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(JSON.stringify(answer.body).length).toBeLessThan(100_000);
  });

  it('that is repeated with the same key makes one job', async () => {
    const options = { params: { id: 'shop' }, body: { messages: texts(1) }, idempotencyKey: 'a-key' };
    const first = await fixture.client.call('create-job', options);
    const again = await fixture.client.call('create-job', options);
    expect(again.id).toBe(first.id);
    // As if the edge had died before it stored the answer.
    const records = await fixture.cluster.connection.keys(`wf:{${fixture.tenant.tenantId}}:idempotency:*`);
    await fixture.cluster.connection.del(...records);
    expect((await fixture.client.call('create-job', options)).id).toBe(first.id);
    await ended(first.id);
    expect(worker.received).toHaveLength(1);
  });

  it('is refused beyond the limit of the tenant', async () => {
    const { tenantId } = fixture.tenant;
    await fixture.admin.call('change-tenant-limits', { params: { id: tenantId }, body: { jobs: 1 } });
    await create({ at: tomorrow() });
    expect(await fixture.send('POST /api/sessions/shop/jobs', { messages: texts(1) })).toMatchObject(
      errorAnswer(429, 'TOO_MANY_JOBS', { resource: 'jobs', limit: 1, used: 1 }),
    );
    const { resources } = await fixture.client.call('get-usage');
    expect(resources.jobs).toMatchObject({ used: 1, limit: 1 });
    expect(resources.jobBytes?.used).toBeGreaterThan(0);
  });
});

describe('a list', () => {
  it('has the jobs of a session or of a state, page by page', async () => {
    await worker.own(fixture.tenant.tenantId, 'other');
    const ids: string[] = [];
    for (const session of ['shop', 'other', 'shop']) {
      const body = { messages: texts(1), at: tomorrow() };
      ids.push((await fixture.client.call('create-job', { params: { id: session }, body })).id);
    }
    const list = (query: { session?: string; state?: JobView['state']; limit?: number; cursor?: string }) =>
      fixture.client.call('list-jobs', { query });
    const first = await list({ limit: 2 });
    const second = await list({ limit: 2, cursor: first.nextCursor ?? '' });
    expect([...first.items, ...second.items].map(({ id }) => id).sort()).toEqual(ids.toSorted());
    expect(second.nextCursor).toBeUndefined();
    expect((await list({ session: 'other' })).items.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await list({ state: 'running' })).items).toEqual([]);
    for (const wrong of ['x', '*', '1-job_1', Buffer.from('x y').toString('base64url')]) {
      expect(await fixture.send(`GET /api/jobs?cursor=${wrong}`)).toMatchObject(
        errorAnswer(400, 'VALIDATION_FAILED', {
          issues: [expect.objectContaining({ path: 'querystring.cursor' })],
        }),
      );
    }
    const messages = await messagesOf(ids[0] ?? '', { limit: 1 });
    expect(messages.nextCursor).toBeUndefined();
  });

  it('of messages names each recipient, by the id of WhatsApp', async () => {
    const to = [
      '15550001001@c.us',
      '+15550001002',
      '120363000000000000@g.us',
      '120363000000000000@newsletter',
    ];
    const { id } = await create({ messages: to.map((each) => ({ to: each, text: 'hi' })), at: tomorrow() });
    const { items } = await messagesOf(id);
    expect(items.map((item) => item.to)).toEqual(['15550001001@s.whatsapp.net', ...to.slice(1)]);
  });

  it('of messages has pages that lead to each other', async () => {
    const { id } = await create({ messages: texts(5), at: tomorrow() });
    const first = await messagesOf(id, { limit: 3 });
    const second = await messagesOf(id, { limit: 3, cursor: first.nextCursor ?? '' });
    expect([...first.items, ...second.items].map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(second.nextCursor).toBeUndefined();
    expect(await fixture.send(`GET /api/jobs/${id}/messages?cursor=x`)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', {
        issues: [expect.objectContaining({ path: 'querystring.cursor' })],
      }),
    );
  });
});

it('other tenants, and keys with a list without the session, find no job', async () => {
  const { id } = await create({ at: tomorrow() });
  const { tenantId } = fixture.tenant;
  const stranger = await fixture.cluster.createTenant();
  const narrow = await fixture.cluster.createKey(tenantId, { sessions: ['other'] });
  for (const { key } of [stranger, narrow]) {
    const requests = [
      ...[`GET /api/jobs/${id}`, `GET /api/jobs/${id}/messages`, `DELETE /api/jobs/${id}`],
      ...[`POST /api/jobs/${id}/pause`, `POST /api/jobs/${id}/resume`],
    ];
    for (const request of requests) {
      expect(await sendRequest(fixture.edge.url, request, { key })).toMatchObject(
        errorAnswer(404, 'JOB_NOT_FOUND'),
      );
    }
    expect(await sendRequest(fixture.edge.url, 'GET /api/jobs', { key })).toMatchObject({
      ...{ status: 200, body: { items: [] } },
    });
    const answer = await sendRequest(fixture.edge.url, 'POST /api/sessions/shop/jobs', {
      ...{ key, body: { messages: texts(1) } },
    });
    expect(answer).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  }
  expect(await get(id)).toMatchObject({ state: 'scheduled' });
});

it('a removed session takes its jobs with it', async () => {
  const release = holdAnswers();
  const { id } = await create();
  await waitFor(() => worker.received.length === 1, { what: 'the first message' });
  await fixture.client.call('remove-session', { params: { id: 'shop' }, query: { force: 'true' } });
  expect(await fixture.send(`GET /api/jobs/${id}`)).toMatchObject(errorAnswer(404, 'JOB_NOT_FOUND'));
  release();
});
