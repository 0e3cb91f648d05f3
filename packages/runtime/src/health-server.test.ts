import { afterEach, expect, test } from 'vitest';
import { type HealthServer, type Readiness, startHealthServer } from './health-server.js';
import { Metrics } from './metrics.js';
import { StartError } from './start-error.js';

const servers: HealthServer[] = [];

async function start(readiness: () => Readiness | Promise<Readiness>, port = 0): Promise<HealthServer> {
  const server = await startHealthServer({ host: '127.0.0.1', port, readiness, metrics: new Metrics() });
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function statusOf(server: HealthServer, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
}

test('healthz is 200 while the process runs; readyz follows the readiness', async () => {
  let readiness: Readiness = { ready: false, reason: 'Redis does not answer' };
  const server = await start(() => readiness);
  expect(await statusOf(server, '/healthz')).toBe(200);
  expect(await statusOf(server, '/readyz')).toBe(503);
  readiness = { ready: true };
  expect(await statusOf(server, '/readyz')).toBe(200);
  expect(await statusOf(server, '/metrics')).toBe(200);
  expect(await statusOf(server, '/other')).toBe(404);
});

test('a readiness check that throws is not ready', async () => {
  const server = await start(() => Promise.reject(new Error('broken')));
  expect(await statusOf(server, '/readyz')).toBe(503);
});

test('a taken port is a StartError that names the variable', async () => {
  const { port } = await start(() => ({ ready: true }));
  const second = start(() => ({ ready: true }), port);
  await expect(second).rejects.toThrow(StartError);
  await expect(second).rejects.toThrow(/HEALTH_PORT/);
});
