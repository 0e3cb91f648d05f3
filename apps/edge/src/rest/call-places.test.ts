import { connect, type Socket } from 'node:net';
import type { TestWorker } from '@wafleet/store/testing';
import { metricOf, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let worker: TestWorker;
let tenant: TestTenant;
let neighbour: TestTenant;
/** Lets the worker continue the sends that it holds. */
let release: () => void;
let released: Promise<void>;
const clients: Socket[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  worker = await cluster.startWorker(async (command) => {
    await released;
    return command.kind === 'send-text' ? { messageId: command.messageId } : {};
  });
});
beforeEach(async () => {
  released = new Promise((resolve) => {
    release = resolve;
  });
  tenant = await cluster.createTenant();
  neighbour = await cluster.createTenant();
  for (const { tenantId } of [tenant, neighbour]) {
    for (const sessionId of ['s-1', 's-2', 's-3', 's-4']) await worker.own(tenantId, sessionId);
  }
  worker.received.length = 0;
});
afterEach(() => {
  release();
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(() => cluster.stop());

const read = (edge: TestEdge, { key }: TestTenant) => sendRequest(edge.url, 'GET /api/sessions/s-1', { key });

const send = (edge: TestEdge, { key }: TestTenant, sessionId: string) =>
  sendRequest(edge.url, `POST /api/sessions/${sessionId}/messages`, {
    key,
    body: { to: '15551230001', text: 'hi' },
  });

/** Connections that the edge has accepted, without a request so far. */
async function connections(edge: TestEdge, count: number): Promise<Socket[]> {
  const before = await metricOf(edge, 'wafleet_edge_connections');
  const added = Array.from({ length: count }, () => {
    const client = connect({ host: '127.0.0.1', port: Number(new URL(edge.url).port) });
    client.on('error', () => {});
    return client;
  });
  clients.push(...added);
  const areOpen = async () => (await metricOf(edge, 'wafleet_edge_connections')) >= before + count;
  await waitFor(areOpen, { what: 'all are accepted' });
  return added;
}

/** Sends a request and resolves with the status line. */
function ask(client: Socket, { key }: TestTenant): Promise<string> {
  client.write(`GET /api/sessions/s-1 HTTP/1.1\r\nHost: edge\r\nX-Api-Key: ${key}\r\n\r\n`);
  return new Promise((resolve) => {
    client.once('data', (chunk) => resolve(String(chunk).split('\r\n')[0] ?? ''));
  });
}

describe('REST calls that arrive at an edge at the same time', () => {
  it('are answered tenant by tenant, not in the order in which they came', async () => {
    const edge = await cluster.startEdge();
    for (const each of [tenant, neighbour]) expect(await read(edge, each)).toMatchObject({ status: 200 });
    const [other = expect.fail(), ...flooding] = await connections(edge, 301);
    let answered = 0;
    const flood = flooding.map(async (client) => {
      const status = await ask(client, tenant);
      answered += 1;
      return status;
    });
    expect(await ask(other, neighbour)).toBe('HTTP/1.1 200 OK');
    expect(answered).toBeLessThan(150);
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['HTTP/1.1 200 OK']));
  });

  it('with different API keys of a tenant are answered key by key', async () => {
    const edge = await cluster.startEdge();
    const second = await cluster.createKey(tenant.tenantId);
    for (const each of [tenant, second]) expect(await read(edge, each)).toMatchObject({ status: 200 });
    const [other = expect.fail(), ...flooding] = await connections(edge, 301);
    let answered = 0;
    const flood = flooding.map(async (client) => {
      await ask(client, tenant);
      answered += 1;
    });
    expect(await ask(other, second)).toBe('HTTP/1.1 200 OK');
    expect(answered).toBeLessThan(150);
    await Promise.all(flood);
  });
});

describe('REST calls under way', () => {
  it('of an API key and of a tenant are bounded, while those of others are served', async () => {
    const edge = await cluster.startEdge({ clientLimits: { callsPerTenant: 3, callsPerKey: 2 } });
    const second = await cluster.createKey(tenant.tenantId);
    for (const each of [tenant, second]) expect(await read(edge, each)).toMatchObject({ status: 200 });
    const held = [send(edge, tenant, 's-1'), send(edge, tenant, 's-2')];
    await waitFor(() => worker.received.length === 2, { what: 'two sends are under way' });

    const refused = await send(edge, tenant, 's-3');
    expect(refused).toMatchObject({
      status: 429,
      body: {
        error: {
          code: 'RATE_LIMITED',
          details: { resource: 'callsPerKey', limit: 2, used: 2, retryAfterMs: 1_000 },
        },
      },
    });
    expect(refused.headers.get('retry-after')).toBe('1');

    held.push(send(edge, second, 's-3'));
    await waitFor(() => worker.received.length === 3, { what: 'the send with the second key is under way' });
    expect(await read(edge, second)).toMatchObject({
      status: 429,
      body: { error: { details: { resource: 'callsPerTenant', limit: 3, used: 3 } } },
    });
    expect(await read(edge, neighbour)).toMatchObject({ status: 200 });
    expect(await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="calls_per_key"}')).toBe(1);
    expect(await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="calls_per_tenant"}')).toBe(1);

    release();
    for (const { status } of await Promise.all(held)) expect(status).toBe(200);
    for (const each of [tenant, second]) expect(await read(edge, each)).toMatchObject({ status: 200 });
  });

  it('count until their client is gone', async () => {
    const edge = await cluster.startEdge({ clientLimits: { callsPerTenant: 1, callsPerKey: 1 } });
    expect(await read(edge, tenant)).toMatchObject({ status: 200 });
    const [client = expect.fail()] = await connections(edge, 1);
    const body = JSON.stringify({ to: '15551230001', text: 'hi' });
    client.write(
      [
        'POST /api/sessions/s-1/messages HTTP/1.1',
        ...['Host: edge', `X-Api-Key: ${tenant.key}`, 'Content-Type: application/json'],
        ...[`Content-Length: ${body.length}`, '', body],
      ].join('\r\n'),
    );
    await waitFor(() => worker.received.length === 1, { what: 'the send is under way' });
    expect(await read(edge, tenant)).toMatchObject({ status: 429 });
    client.destroy();
    await waitFor(async () => (await read(edge, tenant)).status === 200, { what: 'its place is free' });
  });

  it('count until their client is gone, also those that came behind another one on its connection', async () => {
    const edge = await cluster.startEdge({ clientLimits: { callsPerTenant: 2, callsPerKey: 2 } });
    expect(await read(edge, tenant)).toMatchObject({ status: 200 });
    const [client = expect.fail()] = await connections(edge, 1);
    const body = JSON.stringify({ to: '15551230001', text: 'hi' });
    const head = ['Host: edge', `X-Api-Key: ${tenant.key}`];
    client.write(
      [
        ...['POST /api/sessions/s-1/messages HTTP/1.1', ...head, 'Content-Type: application/json'],
        ...[`Content-Length: ${body.length}`, '', `${body}GET /api/sessions/s-1 HTTP/1.1`, ...head, '', ''],
      ].join('\r\n'),
    );
    await waitFor(() => worker.received.length === 1, { what: 'the send is under way' });
    await waitFor(async () => (await read(edge, tenant)).status === 429, { what: 'both calls count' });
    client.destroy();
    await waitFor(async () => (await read(edge, tenant)).status === 200, { what: 'a place is free' });

    const held = send(edge, tenant, 's-2');
    await waitFor(() => worker.received.length === 2, { what: 'another send is under way' });
    // The client that left had both places.
    expect(await read(edge, tenant)).toMatchObject({ status: 200 });
    release();
    expect(await held).toMatchObject({ status: 200 });
  });

  it('with a key that the edge has not seen are bounded by address, and then by tenant', async () => {
    const edge = await cluster.startEdge({ clientLimits: { callsPerTenant: 5, callsPerKey: 5 } });
    const asking = await connections(edge, 100);
    const answers = await Promise.all(asking.map((client) => ask(client, tenant)));
    const served = answers.filter((status) => status === 'HTTP/1.1 200 OK');
    const refused = answers.filter((status) => status === 'HTTP/1.1 429 Too Many Requests');
    expect(served.length).toBeGreaterThanOrEqual(5);
    expect(served.length + refused.length).toBe(100);
    expect(refused.length).toBeGreaterThan(0);
    expect(
      await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="calls_per_address"}'),
    ).toBeGreaterThan(0);
    // All of them are answered, so none counts any more: neither for the address nor for the tenant.
    const others = await Promise.all(Array.from({ length: 5 }, () => read(edge, tenant)));
    expect(others.map(({ status }) => status)).toEqual(Array(5).fill(200));
  });
});
