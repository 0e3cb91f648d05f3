import { createLogger, Lifecycle, Metrics } from '@wafleet/runtime';
import { connectRedis, SessionDirectory, TenantDirectory } from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from './env.js';
import { startPlacer } from './start-placer.js';

const logger = createLogger({ app: 'placer-test', level: 'silent' });

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

function contextFor(url: string) {
  const values = { REDIS_URL: url, HOST: '127.0.0.1', HEALTH_PORT: '0', VERSION_CHECK_EVERY_MS: '0' };
  return {
    environment: environment.parse(values),
    logger,
    lifecycle: new Lifecycle(logger),
    metrics: new Metrics(),
  };
}

async function statusOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.arrayBuffer();
  return response.status;
}

test('it is ready, sees to sessions without being asked, and stops with nothing left open', async () => {
  const context = contextFor(redis.url);
  const connection = connectRedis({ url: redis.url, role: 'command', name: 'test', logger });
  const sessions = new SessionDirectory(connection);
  const { id: tenantId } = await new TenantDirectory(connection).create('Acme');
  const ref = { tenantId, sessionId: 'forgotten' };
  await sessions.create(ref);

  const { healthPort } = await startPlacer(context);
  expect(await statusOf(healthPort, '/healthz')).toBe(200);
  expect(await statusOf(healthPort, '/readyz')).toBe(200);
  await waitFor(async () => (await sessions.get(ref))?.reason === 'no worker is running', {
    what: 'the session shows why it waits',
  });

  expect(await context.lifecycle.stop()).toBe(true);
  await expect(statusOf(healthPort, '/healthz')).rejects.toThrow();
  await waitFor(async () => !String(await connection.client('LIST')).includes('name=placer_'), {
    what: 'its connections are closed',
  });
  connection.disconnect();
});

test('it is not ready while Redis is out of reach', async () => {
  const own = await startRedis();
  const context = contextFor(own.url);
  const { healthPort } = await startPlacer(context);
  await own.kill();
  await waitFor(async () => (await statusOf(healthPort, '/readyz')) === 503, { what: 'it is not ready' });
  expect(await statusOf(healthPort, '/healthz')).toBe(200);
  await own.restart();
  await waitFor(async () => (await statusOf(healthPort, '/readyz')) === 200, { what: 'it is ready again' });
  expect(await context.lifecycle.stop()).toBe(true);
  await own.stop();
});
