import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ApiError, UnexpectedAnswerError } from './answer-errors.js';
import { WafleetClient } from './wafleet-client.js';

interface Received {
  readonly request: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let client: WafleetClient;
/** What the server answers next. */
let next: { status: number; body: string };
let received: Received[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    received.push({ request: `${request.method} ${request.url}`, headers: request.headers, body });
    response.writeHead(next.status);
    response.end(next.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new WafleetClient({ url: () => url, key: 'right' });
});
beforeEach(() => {
  received = [];
});
afterAll(() => server.close());

function answer(status: number, body?: unknown): void {
  next = { status, body: body === undefined ? '' : JSON.stringify(body) };
}

it('sends a body as JSON with the key, and resolves with the checked answer', async () => {
  answer(201, { id: 'tnt_1', name: 'Acme', later: 'a field of a later release' });
  expect(await client.call('create-tenant', { body: { name: 'Acme' } })).toEqual({
    id: 'tnt_1',
    name: 'Acme',
  });
  expect(received).toMatchObject([{ request: 'POST /api/tenants', body: '{"name":"Acme"}' }]);
  expect(received[0]?.headers).toMatchObject({
    authorization: 'Bearer right',
    'content-type': 'application/json',
  });
});

it('puts parameters into the path and fields into the query', async () => {
  answer(200, {});
  const body = { state: 'composing' } as const;
  await client.call('show-chat-state', { params: { id: 'shop', chat: '1555000100@lid' }, body });
  answer(200, { id: 'shop', removal: 'removing' });
  await client.call('remove-session', { params: { id: 'shop' }, query: { force: 'true' } });
  answer(200, { items: [] });
  await client.call('list-sessions', { query: { limit: 5, cursor: undefined } });
  expect(received.map(({ request }) => request)).toEqual([
    'PUT /api/sessions/shop/chats/1555000100%40lid/state',
    'DELETE /api/sessions/shop?force=true',
    'GET /api/sessions?limit=5',
  ]);
});

it('sends the idempotency key of a call that takes one', async () => {
  answer(200, { messageId: '3EB0' });
  const body = { to: '15550001001', text: 'hi' };
  const input = { params: { id: 'shop' }, body };
  await client.call('send-message', { ...input, idempotencyKey: 'a-key' });
  await client.call('send-message', input);
  answer(201, { id: 'ses_1', status: 'queued' });
  await client.call('create-session', { idempotencyKey: 'b-key' });
  expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual(['a-key', undefined, 'b-key']);
});

it('sends nothing if the call takes no idempotency key', async () => {
  const params = { id: 'shop' };
  const keyed = { idempotencyKey: 'a-key' };
  for (const call of [
    client.call('pairing-code', { params, body: { phone: '15550001001' }, ...keyed }),
    client.call('show-chat-state', {
      params: { ...params, chat: '1@lid' },
      body: { state: 'paused' },
      ...keyed,
    }),
  ]) {
    await expect(call).rejects.toMatchObject({ code: 'IDEMPOTENCY_NOT_SUPPORTED' });
  }
  expect(received).toEqual([]);
});

it('sends no body where none is given, and resolves with null where none is answered', async () => {
  answer(204);
  expect(await client.call('revoke-key', { params: { id: 'key_1' } })).toBeNull();
  answer(201, { id: 'ses_1', status: 'queued' });
  expect(await client.call('create-session')).toEqual({ id: 'ses_1', status: 'queued' });
  expect(received.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
    [undefined, ''],
    [undefined, ''],
  ]);
});

it('rejects with the code, status and details of an error', async () => {
  answer(429, { error: { code: 'RATE_LIMITED', message: 'Too fast.', details: { retryAfterMs: 100 } } });
  const failure = client.call('get-session', { params: { id: 'shop' } });
  await expect(failure).rejects.toThrow(ApiError);
  await expect(failure).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    status: 429,
    retryable: true,
    details: { retryAfterMs: 100 },
    message: 'GET /api/sessions/shop answered 429 RATE_LIMITED: Too fast.',
  });
});

it.each(['..', 'a/b', ''])('sends nothing if a parameter of the path is %j', async (id) => {
  await expect(client.call('remove-session', { params: { id } })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { issues: [{ path: 'params.id' }] },
  });
  expect(received).toEqual([]);
});

it('rejects with what the contract does not have, without an answer that may be secret', async () => {
  const read = () => client.call('get-session', { params: { id: 'shop' } });
  next = { status: 502, body: '<h1>Bad gateway</h1>' };
  await expect(read()).rejects.toThrow(UnexpectedAnswerError);
  await expect(read()).rejects.toThrow('answered 502 with <h1>Bad gateway</h1>');
  answer(500, { error: { code: 'OF_A_LATER_RELEASE', message: 'No.' } });
  await expect(read()).rejects.toThrow(UnexpectedAnswerError);
  answer(200, { qr: 'a secret' });
  const failure = client.call('get-qr', { params: { id: 'shop' } });
  await expect(failure).rejects.toThrow(UnexpectedAnswerError);
  await expect(failure).rejects.not.toThrow('a secret');
});

it('rejects if no answer comes in time', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const impatient = new WafleetClient({ url, key: 'right', timeoutMs: 50 });
  await expect(impatient.call('get-usage')).rejects.toMatchObject({ name: 'TimeoutError' });
  silent.closeAllConnections();
  silent.close();
});
