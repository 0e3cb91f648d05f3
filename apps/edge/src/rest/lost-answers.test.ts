import { LossyPort, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, startTestEdge, type TestEdge } from '../testing/test-edge.js';

/** Redis executes what it is asked to, but the edge gets no answer: its connection ends, or it times out. */
let cluster: TestCluster;
let lossy: LossyPort;
let edge: TestEdge;
const clients: SocketClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  lossy = await LossyPort.open(cluster.redis.port);
  edge = await startTestEdge({ redisUrl: `redis://127.0.0.1:${lossy.port}` });
  // Redis knows the scripts from here on, so no lost answer is one that reports an unknown script.
  const { tenantId, key } = await cluster.createTenant();
  await edge.client(key).call('create-session', { body: { id: 'first' } });
  await revoke(await makeKey(tenantId));
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await edge.stop();
  await lossy.close();
  await cluster.stop();
});

function makeKey(tenantId: string) {
  return edge.admin.call('create-key', { body: { tenantId } });
}

function revoke({ id }: { id: string }) {
  return sendRequest(edge.url, `DELETE /api/keys/${id}`, { key: ADMIN_TOKEN });
}

async function listener(key: string): Promise<SocketClient> {
  const client = new SocketClient(`${edge.url}/api/events`, {
    auth: { token: key },
    transports: ['websocket'],
  });
  clients.push(client);
  return client.connected();
}

describe('a session', () => {
  test('that was made when the connection ended is reported as made', async () => {
    const { key } = await cluster.createTenant();
    lossy.loseAnswer('\r\nshop-1\r\n', 'cut');
    const answer = await sendRequest(edge.url, 'POST /api/sessions', { key, body: { id: 'shop-1' } });
    expect(answer).toMatchObject({ status: 201, body: { id: 'shop-1', status: 'queued' } });
    const again = await sendRequest(edge.url, 'POST /api/sessions', { key, body: { id: 'shop-1' } });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'SESSION_EXISTS' } } });
  });

  test('that may have been made is not reported as failed', async () => {
    const { key } = await cluster.createTenant();
    lossy.loseAnswer('\r\nshop-2\r\n', 'silence');
    const answer = await sendRequest(edge.url, 'POST /api/sessions', { key, body: { id: 'shop-2' } });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'OUTCOME_UNKNOWN' } } });
    expect(await sendRequest(edge.url, 'GET /api/sessions/shop-2', { key })).toMatchObject({ status: 200 });
  });
});

test('a change of settings whose answer was lost is announced, and reported as made', async () => {
  const { tenantId, key } = await cluster.createTenant();
  const worker = await cluster.startWorker();
  await worker.own(tenantId, 'shop-3');
  // Redis knows the script from here on.
  const change = (name: string) =>
    sendRequest(edge.url, 'PATCH /api/sessions/shop-3', {
      key,
      body: { settings: { device: { name } }, metadata: { till: name } },
    });
  await change('Till 1');
  const announced = () => worker.received.filter(({ kind }) => kind === 'settings-changed').length;
  expect(announced()).toBe(1);
  lossy.loseAnswer('Till 2', 'cut');
  expect(await change('Till 2')).toMatchObject({
    status: 200,
    body: {
      settings: { device: { name: 'Till 2' } },
      takesEffect: { device: 'next-link', metadata: 'now' },
    },
  });
  expect(announced()).toBe(2);
});

describe('a call with an idempotency key', () => {
  const send = (key: string, id: string) =>
    sendRequest(edge.url, 'POST /api/sessions', {
      key,
      body: { id },
      headers: { 'idempotency-key': 'a-key' },
    });

  test('does nothing if Redis does not answer whether it may begin', async () => {
    const { tenantId, key } = await cluster.createTenant();
    await send(key, 'before');
    lossy.loseAnswer(`:idempotency-ends`, 'silence');
    const answer = await send((await cluster.createKey(tenantId, { sessions: ['other'] })).key, 'other');
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
    expect(await sendRequest(edge.url, 'GET /api/sessions/other', { key })).toMatchObject({ status: 404 });
  });

  test('is answered although its answer cannot be stored, and a retry makes nothing else', async () => {
    const { tenantId, key } = await cluster.createTenant();
    lossy.loseAnswer('{"status":201', 'silence');
    expect(await send(key, 'made')).toMatchObject({ status: 201, body: { id: 'made' } });
    // As if Redis had not executed it, and the claim had ended.
    for (const record of await cluster.connection.keys(`wf:{${tenantId}}:idempotency:*`)) {
      await cluster.connection.hdel(record, 'answer');
    }
    expect(await send(key, 'made')).toMatchObject({ status: 201, body: { id: 'made' } });
  });
});

test('a key or tenant that may have been made is not reported as failed', async () => {
  const { tenantId } = await cluster.createTenant();
  lossy.loseAnswer('\r\na-key\r\n', 'silence');
  const body = { tenantId, name: 'a-key' };
  expect(await sendRequest(edge.url, 'POST /api/keys', { key: ADMIN_TOKEN, body })).toMatchObject({
    status: 504,
  });
  lossy.loseAnswer('\r\na-tenant\r\n', 'silence');
  const named = { key: ADMIN_TOKEN, body: { name: 'a-tenant' } };
  expect(await sendRequest(edge.url, 'POST /api/tenants', named)).toMatchObject({ status: 504 });
});

test('an act whose entry in the audit log got no answer is not done', async () => {
  lossy.loseAnswer('"name":"not-made"', 'silence');
  const body = { name: 'not-made' };
  expect(await sendRequest(edge.url, 'POST /api/tenants', { key: ADMIN_TOKEN, body })).toMatchObject({
    status: 503,
  });
  const { items } = await edge.admin.call('list-tenants', { query: { name: 'not-made' } });
  expect(items).toEqual([]);
});

describe('a revocation', () => {
  test('that was made when the connection ended is reported as made, and closes connections', async () => {
    const { tenantId } = await cluster.createTenant();
    const made = await makeKey(tenantId);
    const client = await listener(made.key);
    lossy.loseAnswer(`\r\n${made.id}\r\n`, 'cut');
    expect(await revoke(made)).toMatchObject({ status: 204 });
    await waitFor(() => !client.socket.connected, { what: 'the connection of the key closed' });
    expect(await sendRequest(edge.url, 'GET /api/sessions', { key: made.key })).toMatchObject({
      status: 401,
    });
    expect(await revoke(made)).toMatchObject({ status: 404 });
  });

  test('that got no answer is ended by another call, which closes connections', async () => {
    const { tenantId } = await cluster.createTenant();
    const made = await makeKey(tenantId);
    const client = await listener(made.key);
    lossy.loseAnswer(`\r\n${made.id}\r\n`, 'silence');
    expect(await revoke(made)).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
    expect(await revoke(made)).toMatchObject({ status: 204 });
    await waitFor(() => !client.socket.connected, { what: 'the connection of the key closed' });
  });
});
