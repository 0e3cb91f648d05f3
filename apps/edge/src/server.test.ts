import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { createLogger, Lifecycle, Metrics, StartError } from '@wafleet/runtime';
import { EVENT_LOG_BOUNDS } from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdge } from './server.js';
import { sendRequest } from './testing/raw-request.js';
import { SocketClient } from './testing/socket-client.js';
import { TestCluster } from './testing/test-cluster.js';
import {
  ADMIN_TOKEN,
  BUFFER_LIMITS,
  CLIENT_LIMITS,
  MEDIA,
  REPLAY_LIMITS,
  startTestEdge,
  UPLOADS,
  WRITER_LIMITS,
} from './testing/test-edge.js';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const logger = createLogger({ app: 'edge', level: 'silent' });

function start(options: {
  redisUrl?: string;
  port?: number;
  stopDelayMs?: number;
  peerHost?: string;
  lifecycle: Lifecycle;
}) {
  return startEdge({
    edgeId: 'edge_test',
    redisUrl: redis.url,
    host: '127.0.0.1',
    port: 0,
    adminToken: ADMIN_TOKEN,
    corsOrigin: '*',
    stopDelayMs: 0,
    writerLimits: WRITER_LIMITS,
    bufferLimits: BUFFER_LIMITS,
    replayLimits: REPLAY_LIMITS,
    clientLimits: CLIENT_LIMITS,
    media: MEDIA,
    jobsAtOnce: 20,
    uploads: UPLOADS,
    eventLogMaxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs,
    tenantLimits: DEFAULT_TENANT_LIMITS,
    metrics: new Metrics(),
    logger,
    ...options,
  });
}

describe('starting', () => {
  it('fails with one clear line when Redis is out of reach', async () => {
    const lifecycle = new Lifecycle(logger);
    const failed = start({ redisUrl: 'redis://user:password@127.0.0.1:1', lifecycle });
    await expect(failed).rejects.toThrow(StartError);
    await expect(failed).rejects.toThrow(/cannot reach Redis at redis:\/\/\*\*\*@127.0.0.1:1.*REDIS_URL/);
    expect(await lifecycle.stop()).toBe(true);
  });

  it('fails with one clear line when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const lifecycle = new Lifecycle(logger);
    await expect(start({ port, lifecycle })).rejects.toThrow(
      new RegExp(`${port} is already in use; set PORT`),
    );
    expect(await lifecycle.stop()).toBe(true);
    other.close();
  });

  it('names PEER_HOST when this machine does not have that address', async () => {
    const lifecycle = new Lifecycle(logger);
    await expect(start({ peerHost: '203.0.113.7', lifecycle })).rejects.toThrow(/set PEER_HOST/);
    expect(await lifecycle.stop()).toBe(true);
  });
});

describe('stopping', () => {
  it('tells /readyz first, then closes connections so that clients try elsewhere', async () => {
    const cluster = await TestCluster.start();
    const { key } = await cluster.createTenant();
    const lifecycle = new Lifecycle(logger);
    const { port } = await start({ redisUrl: cluster.redis.url, stopDelayMs: 1_500, lifecycle });
    const url = `http://127.0.0.1:${port}`;
    const client = await new SocketClient(`${url}/api/events`, { auth: { token: key } }).connected();
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve));
    expect(await sendRequest(url, 'GET /readyz')).toMatchObject({ status: 200 });

    const stopped = lifecycle.stop();
    expect(await sendRequest(url, 'GET /readyz')).toMatchObject({
      status: 503,
      body: { ready: false, reason: 'stopping' },
    });
    expect(client.socket.connected).toBe(true);

    expect(await reason).toBe('transport close');
    expect(await stopped).toBe(true);
    await expect(fetch(url)).rejects.toThrow();
    client.close();
    await cluster.stop();
  });

  it('does not wait for a connection on which nothing was ever asked', async () => {
    const lifecycle = new Lifecycle(logger);
    const { port } = await start({ lifecycle });
    const silent = connect({ host: '127.0.0.1', port });
    await once(silent, 'connect');
    // This answer comes after the edge has accepted the silent connection.
    await sendRequest(`http://127.0.0.1:${port}`, 'GET /healthz');
    const ended = once(silent, 'close');
    expect(await lifecycle.stop()).toBe(true);
    await ended;
  });
});

describe('logs', () => {
  it('hold no key and no token, at any level', async () => {
    let written = '';
    const destination = {
      write: (line: string) => {
        written += line;
      },
    };
    const cluster = await TestCluster.start();
    const { tenantId, key } = await cluster.createTenant();
    const edge = await startTestEdge({
      redisUrl: cluster.redis.url,
      logger: createLogger({ app: 'edge', level: 'trace', destination }),
    });
    const worker = await cluster.startWorker(async () => {
      throw new Error('the worker fails');
    });
    await worker.own(tenantId, 'shop-1');

    const wrong = 'wrong-key-of-a-test';
    const created = await edge.admin.call('create-key', { body: { tenantId } });
    for (const used of [key, wrong, ADMIN_TOKEN]) {
      for (const path of [
        '/api/sessions',
        `/api/none?key=${used}`,
        `/api/events?events=*&token=${used}`,
        `/api/events?events=${used}`,
        `/socket.io/?token=${used}&EIO=3`,
        '/%zz',
      ]) {
        await sendRequest(edge.url, `GET ${path}`, { key: used });
      }
      await sendRequest(edge.url, `DELETE /api/sessions/shop-1`, { key: used });
      const client = new SocketClient(edge.url, { auth: { token: used }, query: { token: used } });
      await (used === key ? client.connected() : client.refused());
      client.close();
    }
    await edge.stop();
    await cluster.stop();

    expect(written).toContain('"route":"/api/sessions"');
    for (const secret of [key, wrong, ADMIN_TOKEN, created.key]) {
      expect(written).not.toContain(secret);
    }
  });
});
