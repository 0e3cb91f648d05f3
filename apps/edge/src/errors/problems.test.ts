import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  ERRORS,
  type ErrorCode,
  PROBLEM_CONTENT_TYPE,
  problemSchema,
  titleOf,
  WafleetError,
} from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster({ corsOrigin: 'https://app.example.com', clientLimits: { callsPerKey: 1 } });

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Everything that a problem repeats agrees with the rest of it and of the answer. */
function expectProblem(answer: { status: number; headers: Headers; body: unknown }, code: ErrorCode) {
  const problem = problemSchema.parse(answer.body);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json(;|$)/);
  const { status } = ERRORS[code];
  expect(answer.status).toBe(status);
  expect(problem).toMatchObject({
    type: `/docs/errors#${code}`,
    title: titleOf(code),
    status,
    detail: problem.error.message,
    instance: answer.headers.get('request-id'),
    code,
    error: { code },
  });
  expect(problem.details).toEqual(problem.error.details);
  return problem;
}

describe('every error is a problem', () => {
  it.each<[string, ErrorCode, unknown?]>([
    ['GET /api/nothing', 'ROUTE_NOT_FOUND'],
    ['GET /api/sessions/%zz', 'VALIDATION_FAILED'],
    [`GET /api/sessions/${'x'.repeat(2_000)}`, 'VALIDATION_FAILED'],
    ['GET /api/sessions/none', 'SESSION_NOT_FOUND'],
    ['POST /api/sessions', 'VALIDATION_FAILED', { id: '' }],
    ['POST /api/sessions', 'PAYLOAD_TOO_LARGE', { name: 'x'.repeat(600_000) }],
    ['POST /api/tenants', 'FORBIDDEN', {}],
    ['GET /api/events', 'VALIDATION_FAILED'],
    ['GET /docs/static/%00', 'ROUTE_NOT_FOUND'],
  ])('%.40s: %s', async (request, code, body) => {
    expectProblem(await fixture.send(request, body), code);
  });

  it('of a call without a key', async () => {
    expectProblem(await sendRequest(fixture.edge.url, 'GET /api/sessions'), 'UNAUTHORIZED');
  });

  it('of a request that is not HTTP', async () => {
    const socket = connect(Number(new URL(fixture.edge.url).port), '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toContain(`content-type: ${PROBLEM_CONTENT_TYPE}`);
    const { instance } = problemSchema.parse(JSON.parse(body));
    expect(instance).toMatch(UUID_7);
    expect(head).toContain(`request-id: ${instance}`);
  });

  it('of an upgrade that is refused', async () => {
    const socket = connect(Number(new URL(fixture.edge.url).port), '127.0.0.1');
    socket.write(
      'GET /else HTTP/1.1\r\nHost: e\r\nRequest-Id: up-1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(problemSchema.parse(JSON.parse(body))).toMatchObject({
      code: 'ROUTE_NOT_FOUND',
      instance: 'up-1',
    });
    expect(head).toContain('request-id: up-1');
  });

  it('with the time to wait, of a call that is refused before its handler', async () => {
    const origin = 'https://app.example.com';
    const { key } = fixture.tenant;
    const call = () => sendRequest(fixture.edge.url, 'GET /api/sessions', { key, headers: { origin } });
    await call();
    const answers = await Promise.all(Array.from({ length: 50 }, call));
    const refused = answers.find(({ status }) => status === 429);
    if (refused === undefined) throw new Error('no call was refused');
    const { retryAfterMs = 0, details } = expectProblem(refused, 'RATE_LIMITED');
    expect(retryAfterMs).toBe(details?.retryAfterMs);
    expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(retryAfterMs / 1_000));
    expect(refused.headers.get('access-control-expose-headers')).toContain('request-id');
  });

  it('again, for a retry with an Idempotency-Key: only the request id is another one', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new WafleetError('RECIPIENT_NOT_FOUND', 'The recipient is not on WhatsApp.');
    });
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const send = () =>
      sendRequest(fixture.edge.url, 'POST /api/sessions/shop-1/messages', {
        key: fixture.tenant.key,
        body: { to: '15551230001', text: 'hi' },
        headers: { 'idempotency-key': 'one' },
      });
    const first = expectProblem(await send(), 'RECIPIENT_NOT_FOUND');
    const retry = await send();
    expect(retry.headers.get('idempotency-replayed')).toBe('true');
    const second = expectProblem(retry, 'RECIPIENT_NOT_FOUND');
    expect(second.instance).not.toBe(first.instance);
    expect({ ...second, instance: '' }).toEqual({ ...first, instance: '' });
  });

  it('whose type leads to its meaning', async () => {
    const response = await fetch(`${fixture.edge.url}/docs/errors`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`id="${code}"`);
    expect(page).not.toMatch(/`|\]\(/);
  });
});

describe('the id of a request', () => {
  const idOf = async (headers: Record<string, string> = {}, path = '/api/sessions') =>
    (await sendRequest(fixture.edge.url, `GET ${path}`, { key: fixture.tenant.key, headers })).headers.get(
      'request-id',
    );

  it('is a new one of its own if the request has none', async () => {
    const ids = [await idOf(), await idOf(), await idOf({}, '/healthz'), await idOf({}, '/docs/json')];
    for (const id of ids) expect(id).toMatch(UUID_7);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is that of the request', async () => {
    expect(await idOf({ 'request-id': 'abc-1.2_~+=' })).toBe('abc-1.2_~+=');
    expect(await idOf({ 'x-request-id': 'from-a-proxy' })).toBe('from-a-proxy');
    expect(await idOf({ 'request-id': 'own', 'x-request-id': 'from-a-proxy' })).toBe('own');
    expect(await idOf({ 'request-id': 'x'.repeat(128) })).toBe('x'.repeat(128));
  });

  it.each(['', 'x'.repeat(129), 'a b', 'a\tb', 'a"b', '{"a":1}', '<b>', 'a,b', 'é', 'a/../b', 'a%0d%0ab'])(
    'is not %j',
    async (given) => {
      expect(await idOf({ 'request-id': given })).toMatch(UUID_7);
    },
  );

  it('is not one with a line break, which ends in no answer and no log line', async () => {
    let written = '';
    const destination = {
      write: (line: string) => {
        written += line;
      },
    };
    const logged = await fixture.cluster.startEdge({
      logger: createLogger({ app: 'edge', level: 'debug', destination }),
    });
    const socket = connect(Number(new URL(logged.url).port), '127.0.0.1');
    // A line break within a header: a second header, and a folded line, which Node.js refuses.
    socket.write(
      'GET /healthz HTTP/1.1\r\nHost: e\r\nRequest-Id: a\r\nSet-Cookie: b\r\nConnection: close\r\n\r\n',
    );
    const answer = await text(socket);
    expect(answer).toContain('request-id: a\r\n');
    expect(answer.toLowerCase()).not.toContain('set-cookie');
    for (const id of ['a\n evil', 'a\r evil', 'a\0evil']) {
      const other = connect(Number(new URL(logged.url).port), '127.0.0.1');
      other.write(`GET /healthz HTTP/1.1\r\nHost: e\r\nRequest-Id: ${id}\r\nConnection: close\r\n\r\n`);
      expect(await text(other)).not.toContain('evil');
    }
    expect(written).toContain('"requestId":"a"');
    expect(written).not.toContain('evil');
  });

  it('may be read and sent by pages of other origins', async () => {
    const preflight = await fetch(`${fixture.edge.url}/api/sessions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'request-id',
      },
    });
    expect(preflight.headers.get('access-control-allow-headers')).toContain('request-id');
    const answer = await fetch(`${fixture.edge.url}/api/sessions`, {
      headers: { origin: 'https://app.example.com' },
    });
    expect(answer.headers.get('access-control-expose-headers')).toContain('request-id');
  });

  it('is in what the administrator gets too', async () => {
    const answer = await sendRequest(fixture.edge.url, 'POST /api/tenants', {
      key: ADMIN_TOKEN,
      body: { name: 'x' },
      headers: { 'request-id': 'admin-1' },
    });
    expect(answer.headers.get('request-id')).toBe('admin-1');
  });
});
