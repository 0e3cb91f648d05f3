import { randomUUID } from 'node:crypto';
import { type ErrorCode, problemSchema, sentMessageSchema, WafleetError } from '@wafleet/contract';
import type { Handle, TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterFixture } from '../testing/cluster-fixture.js';
import { type Answer, errorAnswer, sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const SEND = 'POST /api/sessions/shop-1/messages';
const TEXT = { to: '15551230001', text: 'hi' };

const fixture = new ClusterFixture();
let worker: TestWorker;

/** Echoes the message id, as a worker does once WhatsApp has taken the message. */
const deliver: Handle = async (command) =>
  command.kind === 'send-text' ? { messageId: command.messageId } : {};

beforeAll(() => fixture.start(2));
beforeEach(async () => {
  await fixture.beginTest();
  worker = await fixture.cluster.startWorker(deliver);
  await worker.own(fixture.tenant.tenantId, 'shop-1');
});
afterAll(() => fixture.stop());

interface Options {
  readonly request?: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly edge?: { readonly url: string };
}

/** Sends a request with an Idempotency-Key. Default: a text. */
function call(idempotencyKey: string, options: Options = {}): Promise<Answer> {
  const { request = SEND, body = TEXT, key = fixture.tenant.key, edge = fixture.edge } = options;
  return sendRequest(edge.url, request, { key, body, headers: { 'idempotency-key': idempotencyKey } });
}

const messageIdOf = ({ body }: Answer) => sentMessageSchema.parse(body).messageId;
const isReplayed = ({ headers }: Answer) => headers.get('idempotency-replayed') === 'true';

/** Has the next command fail. Later ones are delivered. */
function failOnce(code: ErrorCode): void {
  worker.handle = async () => {
    worker.handle = deliver;
    throw new WafleetError(code, 'It failed.');
  };
}

async function recordKeys(tenantId = fixture.tenant.tenantId): Promise<string[]> {
  const found = await fixture.cluster.connection.keys(`wf:{${tenantId}}:idempotency*`);
  return found.filter((key) => !key.endsWith('-ends'));
}

/** Has the claims of the tenant end, as after their time. */
async function endClaims(): Promise<void> {
  for (const key of await recordKeys()) await fixture.cluster.connection.hset(key, 'until', '1');
}

describe('a retry', () => {
  it('gets the same answer from any edge, and nothing is sent again', async () => {
    const key = randomUUID();
    const first = await call(key);
    expect(first).toMatchObject({ status: 200 });
    expect(isReplayed(first)).toBe(false);
    for (const edge of [fixture.edge, fixture.otherEdge]) {
      const again = await call(key, { edge });
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect(isReplayed(again)).toBe(true);
    }
    expect(worker.received).toHaveLength(1);
  });

  it('may write the same key, and the same body, in another way', async () => {
    const first = await call('"a-key"');
    const again = await call('a-key', {
      request: `${SEND}?attempt=2`,
      body: { text: 'hi', to: '15551230001' },
    });
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(worker.received).toHaveLength(1);
  });

  it('is refused if it has another body or other parameters', async () => {
    await call('a-key');
    const other = await call('a-key', { body: { ...TEXT, text: 'hi!' } });
    expect(other).toMatchObject(errorAnswer(422, 'IDEMPOTENCY_KEY_REUSED'));
    expect(worker.received).toHaveLength(1);
  });

  it('gets IDEMPOTENCY_IN_PROGRESS while the first request is carried out', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    worker.handle = async (command, of) => {
      await held;
      return deliver(command, of);
    };
    const first = call('a-key');
    await waitFor(() => worker.received.length === 1, { what: 'the command' });
    const meanwhile = await call('a-key', { edge: fixture.otherEdge });
    expect(meanwhile).toMatchObject(
      errorAnswer(409, 'IDEMPOTENCY_IN_PROGRESS', { retryAfterMs: expect.any(Number) }),
    );
    expect(meanwhile.headers.get('retry-after')).toBe('1');
    release();
    expect(await first).toMatchObject({ status: 200 });
    expect(await call('a-key', { edge: fixture.otherEdge })).toMatchObject({ status: 200 });
    expect(worker.received).toHaveLength(1);
  });

  it('of many at the same moment acts once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        call('a-key', { edge: fixture.edges[index % 2] ?? fixture.edge }),
      ),
    );
    expect(worker.received).toHaveLength(1);
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 409)).toEqual([]);
  });

  it.each(['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'] as const)('gets %s again', async (code) => {
    failOnce(code);
    const first = await call('a-key');
    expect(first).toMatchObject({ body: { error: { code, details: { messageId: expect.any(String) } } } });
    const again = await call('a-key', { edge: fixture.otherEdge });
    const instance = again.headers.get('request-id');
    expect(again.status).toBe(first.status);
    expect(again.body).toEqual({ ...problemSchema.parse(first.body), instance });
    expect(isReplayed(again)).toBe(true);
    expect(worker.received).toHaveLength(1);
  });

  it.each([
    'SESSION_NOT_OPEN',
    'UNAVAILABLE',
    'PACED',
    'SENDS_PAUSED',
    'ACCOUNT_RESTRICTED',
    'ADDRESSING_OUTDATED',
  ] as const)('acts after %s, and nothing is kept', async (code) => {
    failOnce(code);
    expect(await call('a-key')).toMatchObject({ body: { error: { code } } });
    expect(await recordKeys()).toEqual([]);
    expect(await call('a-key')).toMatchObject({ status: 200 });
    expect(worker.received).toHaveLength(2);
  });

  it.each(['OUTCOME_UNKNOWN', 'INTERNAL'] as const)(
    'acts after %s, with the same message id',
    async (code) => {
      failOnce(code);
      expect(await call('a-key')).toMatchObject({ body: { error: { code } } });
      const other = await call('a-key', { body: { ...TEXT, text: 'other' } });
      expect(other).toMatchObject(errorAnswer(422, 'IDEMPOTENCY_KEY_REUSED'));
      expect(await call('a-key', { edge: fixture.otherEdge })).toMatchObject({ status: 200 });
      const ids = worker.received.map((command) => ('messageId' in command ? command.messageId : undefined));
      expect(ids).toEqual([ids[0], ids[0]]);
      expect(ids[0]).toMatch(/^3EB0[0-9A-F]{18}$/);
    },
  );

  it('acts after NO_WORKER and after a limit', async () => {
    const { tenantId } = fixture.tenant;
    await fixture.cluster.sessions.create({ tenantId, sessionId: 'shop-2' });
    const request = 'POST /api/sessions/shop-2/messages';
    expect(await call('a-key', { request })).toMatchObject(errorAnswer(503, 'NO_WORKER'));
    await worker.claim({ tenantId, sessionId: 'shop-2' });
    expect(await call('a-key', { request })).toMatchObject({ status: 200 });
  });

  it('acts once the claim of the first request has ended, with the same message id', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    worker.handle = async () => {
      await held;
      throw new WafleetError('WHATSAPP_REFUSED', 'Late.');
    };
    const late = call('a-key');
    await waitFor(() => worker.received.length === 1, { what: 'the command' });
    expect(await call('a-key', { edge: fixture.otherEdge })).toMatchObject(
      errorAnswer(409, 'IDEMPOTENCY_IN_PROGRESS'),
    );
    // As if the first edge had died long ago, and the session had moved from its worker, which hangs.
    await endClaims();
    const next = await fixture.cluster.startWorker(deliver);
    const fence = worker.fenceOf({ tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' });
    await worker.release(fence);
    await next.claim(fence);
    expect(await call('a-key', { edge: fixture.otherEdge })).toMatchObject({ status: 200 });
    const ids = [...worker.received, ...next.received].map((each) =>
      'messageId' in each ? each.messageId : '',
    );
    expect(ids).toEqual([ids[0], ids[0]]);
    // The late answer is not the one that retries get.
    release();
    expect(await late).toMatchObject(errorAnswer(502, 'WHATSAPP_REFUSED'));
    expect(messageIdOf(await call('a-key'))).toBe(ids[0]);
  });

  it('is not given an answer that was too large to keep, and nothing is sent again', async () => {
    worker.handle = async () => ({ messageId: 'x'.repeat(5_000) });
    expect(await call('a-key')).toMatchObject({ status: 200 });
    const again = await call('a-key');
    expect(again).toMatchObject(errorAnswer(409, 'IDEMPOTENCY_ANSWER_NOT_KEPT', { status: 200 }));
    expect(worker.received).toHaveLength(1);
  });

  it.each(['', '{', '[]', '{"status":"x"}', '{"error":{"code":"OF_A_LATER_RELEASE","message":""}}'])(
    'is not given an answer that is stored as %j, and nothing is sent again',
    async (damaged) => {
      await call('a-key');
      for (const key of await recordKeys()) await fixture.cluster.connection.hset(key, 'answer', damaged);
      expect(await call('a-key')).toMatchObject(errorAnswer(409, 'IDEMPOTENCY_ANSWER_NOT_KEPT'));
      expect(worker.received).toHaveLength(1);
    },
  );

  it('acts, with the same message id, if the record is damaged or lost', async () => {
    const first = await call('a-key');
    for (const key of await recordKeys()) await fixture.cluster.connection.set(key, 'damaged');
    expect(messageIdOf(await call('a-key'))).toBe(messageIdOf(first));
    await fixture.cluster.connection.del(...(await recordKeys()));
    expect(messageIdOf(await call('a-key'))).toBe(messageIdOf(first));
  });
});

describe('a key', () => {
  it.each(['a b', 'ä', '"a', '"a"b"', 'x'.repeat(256)])('of the form %j is refused', async (key) => {
    expect(await call(Buffer.from(key).toString('latin1'))).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path: 'headers.idempotency-key' }] }),
    );
    expect(worker.received).toEqual([]);
  });

  it.each(['__proto__', 'constructor', '*', '{tnt_a}:tenant', '../../keys', '%00', "';FLUSHALL", '\\r\\n'])(
    'of the form %j is one like any other',
    async (key) => {
      const first = await call(key);
      expect(first).toMatchObject({ status: 200 });
      expect(await call(key)).toMatchObject({ status: 200, body: first.body });
      expect(worker.received).toHaveLength(1);
      const stored = await recordKeys();
      expect(stored).toHaveLength(1);
      expect(stored[0]).toMatch(/:idempotency:shop-1\/[\w-]{22}$/);
    },
  );

  it('that is sent twice in one request is refused', async () => {
    const response = await fetch(`${fixture.edge.url}/api/sessions/shop-1/messages`, {
      method: 'POST',
      headers: [
        ['x-api-key', fixture.tenant.key],
        ['content-type', 'application/json'],
        ['idempotency-key', 'a'],
        ['idempotency-key', 'a'],
      ],
      body: JSON.stringify(TEXT),
    });
    expect(response.status).toBe(400);
  });

  it('counts for one session and one route', async () => {
    const { tenantId } = fixture.tenant;
    await worker.own(tenantId, 'shop-2');
    const ids = [
      messageIdOf(await call('a-key')),
      messageIdOf(await call('a-key', { request: 'POST /api/sessions/shop-2/messages' })),
    ];
    expect(new Set(ids).size).toBe(2);
    expect(worker.received).toHaveLength(2);
    expect(
      await call('a-key', { request: 'POST /api/sessions/shop-1/restart', body: undefined }),
    ).toMatchObject({
      status: 202,
    });
  });

  it('of another tenant is another key, and its message has another id', async () => {
    const first = await call('a-key');
    const stranger = await fixture.cluster.createTenant();
    expect(await call('a-key', { key: stranger.key })).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    await worker.own(stranger.tenantId, 'shop-1');
    const theirs = await call('a-key', { key: stranger.key });
    expect(isReplayed(theirs)).toBe(false);
    expect(messageIdOf(theirs)).not.toBe(messageIdOf(first));
  });

  it('gives no answer to an API key of the tenant that may not use the session', async () => {
    await call('a-key');
    const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId, { sessions: ['other'] });
    expect(await call('a-key', { key })).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    const create = { request: 'POST /api/sessions', body: { id: 'made' } };
    expect(await call('b-key', create)).toMatchObject({ status: 201 });
    expect(await call('b-key', { ...create, key })).toMatchObject(errorAnswer(403, 'FORBIDDEN'));
    expect(await call('a-key', { key: (await readOnlyKey()).key })).toMatchObject(
      errorAnswer(403, 'FORBIDDEN'),
    );
  });

  const readOnlyKey = () => fixture.cluster.createKey(fixture.tenant.tenantId, { scopes: ['events:read'] });

  it('is the same for all other API keys of the tenant', async () => {
    const first = await call('a-key');
    const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId);
    expect(await call('a-key', { key })).toMatchObject({ status: 200, body: first.body });
    expect(worker.received).toHaveLength(1);
  });

  it('is stored neither as it is nor with the message', async () => {
    await call('order-of-+15551230001', { body: { ...TEXT, text: 'a private text' } });
    const names = await recordKeys();
    const [record = ''] = names;
    const stored = JSON.stringify([names, await fixture.cluster.connection.hgetall(record)]);
    expect(stored).not.toMatch(/order-of|private/);
  });

  it('is refused beyond the number that a tenant may have, and other tenants are not', async () => {
    const { tenantId } = fixture.tenant;
    await fixture.admin.call('change-tenant-limits', {
      params: { id: tenantId },
      body: { idempotencyKeys: 50 },
    });
    for (let count = 1; count <= 50; count += 1) await call(`key-${count}`);
    const refused = await call('key-51');
    expect(refused).toMatchObject(
      errorAnswer(429, 'TOO_MANY_IDEMPOTENCY_KEYS', { resource: 'idempotencyKeys', limit: 50, used: 50 }),
    );
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(worker.received).toHaveLength(50);
    expect(await call('key-50')).toMatchObject({ status: 200 });
    const usage = await fixture.client.call('get-usage');
    expect(usage.resources.idempotencyKeys).toMatchObject({ used: 50, limit: 50 });
  });
});

describe('what a call makes', () => {
  it('is a session of the same id after an unknown outcome', async () => {
    const create = { request: 'POST /api/sessions', body: { name: 'Shop' } };
    const first = await call('a-key', create);
    expect(first).toMatchObject({ status: 201, body: { id: expect.stringMatching(/^ses_[0-9a-f]{16}$/) } });
    const again = await call('a-key', create);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    // As if the edge had died before it stored the answer.
    await fixture.cluster.connection.del(...(await recordKeys()));
    expect(await call('a-key', create)).toMatchObject({ status: 201, body: first.body });
    expect((await fixture.client.call('list-sessions')).items).toHaveLength(2);
  });

  it('is a session of the given id that the retry does not take for another one', async () => {
    const create = { request: 'POST /api/sessions', body: { id: 'mine' } };
    expect(await call('a-key', create)).toMatchObject({ status: 201 });
    await fixture.cluster.connection.del(...(await recordKeys()));
    expect(await call('a-key', create)).toMatchObject({ status: 201, body: { id: 'mine' } });
    expect(await call('b-key', create)).toMatchObject(errorAnswer(409, 'SESSION_EXISTS'));
  });

  it('is one tenant', async () => {
    const create = { request: 'POST /api/tenants', body: { name: 'Acme' }, key: ADMIN_TOKEN };
    const key = randomUUID();
    const first = await call(key, create);
    expect(first).toMatchObject({ status: 201 });
    const again = await call(key, create);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(isReplayed(again)).toBe(true);
    await fixture.cluster.connection.del(...(await recordKeys('administrator')));
    expect(await call(key, create)).toMatchObject({ status: 201, body: first.body });
  });
});

it.each([
  'POST /api/sessions/shop-1/pairing-code',
  'POST /api/sessions/shop-1/export',
  'POST /api/sessions/import',
  'POST /api/sessions/shop-1/passkey/helper-link',
])('%s takes no key, because its answer is secret', async (request) => {
  expect(await call('a-key', { request, body: {} })).toMatchObject(
    errorAnswer(400, 'IDEMPOTENCY_NOT_SUPPORTED'),
  );
  expect(worker.received).toEqual([]);
});

it('browsers of other origins may send the key, and see that an answer was given before', async () => {
  const preflight = await fetch(`${fixture.edge.url}/api/sessions/shop-1/messages`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
  const { headers } = await sendRequest(fixture.edge.url, 'GET /api/usage', {
    key: fixture.tenant.key,
    headers: { origin: 'https://app.example.com' },
  });
  expect(headers.get('access-control-expose-headers')).toContain('idempotency-replayed');
});

it('the documentation names the header for calls that take it, and for no others', async () => {
  const { body } = await sendRequest(fixture.edge.url, 'GET /docs/json');
  const { paths } = body as { paths: Record<string, Record<string, { parameters?: { name: string }[] }>> };
  const takes = (path: string, method = 'post') =>
    paths[path]?.[method]?.parameters?.some(({ name }) => name === 'idempotency-key') ?? false;
  expect(takes('/api/sessions/{id}/messages')).toBe(true);
  expect(takes('/api/tenants')).toBe(true);
  expect(takes('/api/keys')).toBe(false);
  expect(takes('/api/sessions/{id}/chats/{chat}/state', 'put')).toBe(false);
});
