import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { errorBodySchema } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { heldConnections, listSessions, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { TestCluster } from '../testing/test-cluster.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster({ corsOrigin: 'https://app.example.com, https://b.example.com' });

async function post(body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  const response = await fetch(`${fixture.edge.url}/api/sessions`, {
    method: 'POST',
    headers: { 'x-api-key': fixture.tenant.key, ...headers },
    body,
  });
  const { error } = errorBodySchema.parse(await response.json());
  return { status: response.status, code: error.code };
}

describe('an invalid request is refused', () => {
  it.each(['{', '{"id":}', 'id=a', '{"__proto__":{"id":"a"}}', '{"constructor":{"prototype":{}}}'])(
    'JSON: %s',
    async (body) => {
      expect(await post(body)).toEqual({ status: 400, code: 'VALIDATION_FAILED' });
    },
  );

  it('a body of another type', async () => {
    expect(await post('<id>a</id>', { 'content-type': 'application/xml' })).toEqual({
      status: 400,
      code: 'VALIDATION_FAILED',
    });
  });

  it('a body that is too large', async () => {
    expect(await post(JSON.stringify({ name: 'x'.repeat(600_000) }))).toEqual({
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
    });
  });

  it.each([
    'GET /',
    'GET /api',
    'PUT /api/sessions',
    'PUT /api/sessions/shop-1',
    'PUT /api/tenants',
    'GET /api/sessions/shop-1/nothing',
  ])('a route that does not exist: %s', async (request) => {
    expect(await fixture.send(request)).toMatchObject({
      status: 404,
      body: { error: { code: 'ROUTE_NOT_FOUND' } },
    });
  });

  it.each(['%zz', 'x'.repeat(2_000)])('a path that is not a URL or is too long', async (segment) => {
    expect(await fixture.send(`GET /api/sessions/${segment}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED' } },
    });
  });

  it.each([
    ['GET /api/sessions/a%20b', {}, 'The path parameters are not valid. params.id: must be 1 to 64 letters'],
    ['GET /api/sessions?limit=0', {}, 'The query is not valid. querystring.limit: '],
    ['POST /api/sessions', { body: { id: '' } }, 'The body is not valid. body.id: must be 1 to 64 letters'],
    [
      'GET /api/events?events=call',
      { headers: { 'last-event-id': 'yesterday' } },
      'The headers are not valid. headers.last-event-id: must be an eventId or a position.',
    ],
  ])('a part that is not valid, by its name: %s', async (request, options, message) => {
    const answer = await sendRequest(fixture.edge.url, request, { key: fixture.tenant.key, ...options });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', message: expect.stringContaining(message) } },
    });
  });

  it.each([
    ['nonsense\r\n\r\n', '400', 'VALIDATION_FAILED'],
    // Fastify requires a content type for this method, and there is none.
    ['QUERY / HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n', '400', 'VALIDATION_FAILED'],
    [`GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, '413', 'PAYLOAD_TOO_LARGE'],
  ])('a request that is not valid HTTP', async (bytes, status, code) => {
    const socket = connect(Number(new URL(fixture.edge.url).port), '127.0.0.1');
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ error: { code } });
  });
});

describe('a client that leaves', () => {
  it.each([
    ['in the middle of a body', 'content-length: 500\r\n\r\n{"id":'],
    ['in the middle of a body in chunks', 'transfer-encoding: chunked\r\n\r\nff\r\nx'],
  ])('%s is not logged as a failure', async (_when, rest) => {
    let written = '';
    const destination = {
      write: (line: string) => {
        written += line;
      },
    };
    const logged = await fixture.cluster.startEdge({
      logger: createLogger({ app: 'edge', level: 'debug', destination }),
    });
    const port = Number(new URL(logged.url).port);
    for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`POST /api/sessions HTTP/1.1\r\nHost: edge\r\nX-Api-Key: ${fixture.tenant.key}\r\n`);
      socket.write(`content-type: application/json\r\n${rest}`);
      await waitFor(() => heldConnections(port) === 1, { what: 'the edge has it' });
      socket[leave]();
      await waitFor(() => heldConnections(port) === 0, { what: 'the edge has closed it' });
      socket.destroy();
    }
    await listSessions(logged.client(fixture.tenant.key));
    expect(written).toContain('"route":"/api/sessions"');
    expect(written).not.toMatch(/"level":"(error|warn|fatal)"/);
  });
});

describe('browsers', () => {
  it.each(['/api/sessions', '/socket.io/?EIO=4&transport=polling'])(
    'may call %s from the origins that are allowed, and from no other',
    async (path) => {
      const preflight = (origin: string) =>
        fetch(fixture.edge.url + path, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'x-api-key',
          },
        });
      const allowed = await preflight('https://b.example.com');
      expect(allowed.headers.get('access-control-allow-origin')).toBe('https://b.example.com');
      expect(allowed.headers.get('access-control-allow-headers')).toContain('x-api-key');
      const refused = await preflight('https://evil.example.com');
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('may call from any origin by default, but never with cookies', async () => {
    const open = await fixture.cluster.startEdge();
    for (const path of ['/api/sessions', '/socket.io/?EIO=4&transport=polling']) {
      const { headers } = await fetch(open.url + path, { headers: { origin: 'https://any.example.com' } });
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it('get a header that forbids guessing types', async () => {
    const { headers } = await fixture.send('GET /api/sessions');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('without Redis', () => {
  it('calls are answered UNAVAILABLE, and served again when it is back', async () => {
    const own = await TestCluster.start();
    try {
      const { url } = await own.startEdge();
      const { key } = await own.createTenant();
      const unavailable = { status: 503, body: { error: { code: 'UNAVAILABLE' } } };
      await own.redis.kill();
      const answers = await Promise.all([
        sendRequest(url, 'GET /api/sessions', { key }),
        sendRequest(url, 'POST /api/sessions', { key, body: {} }),
        sendRequest(url, 'POST /api/tenants', { key: ADMIN_TOKEN, body: { name: 'x' } }),
        sendRequest(url, 'GET /readyz'),
        sendRequest(url, 'GET /healthz'),
      ]);
      expect(answers[0]).toMatchObject(unavailable);
      expect(answers[1]).toMatchObject(unavailable);
      expect(answers[2]).toMatchObject(unavailable);
      expect(answers[3]).toMatchObject({ status: 503, body: { ready: false } });
      expect(answers[4]).toMatchObject({ status: 200 });

      await own.redis.restart();
      await expect
        .poll(() => sendRequest(url, 'GET /readyz'), { timeout: 15_000 })
        .toMatchObject({ status: 200, body: { ready: true } });
      expect(await sendRequest(url, 'POST /api/sessions', { key, body: {} })).toMatchObject({ status: 201 });
    } finally {
      await own.stop();
    }
  });
});
