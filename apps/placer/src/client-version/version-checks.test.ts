import { createLogger } from '@wafleet/runtime';
import { Simulator } from '@wafleet/simulator';
import { ClientVersions, ConnectRate, connectRedis, type RedisConnection } from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { VersionChecks } from './version-checks.js';
import { versionPageOf } from './version-page.js';

const CURRENT = '2.3000.1043857760';
const NEWER = '2.3000.1052000000';
const simulator = new Simulator();
const lines: string[] = [];
const logger = createLogger({
  app: 'test',
  level: 'info',
  destination: { write: (line: string) => lines.push(line) },
});

let server: TestRedis;
let redis: RedisConnection;
let versions: ClientVersions;
const running: VersionChecks[] = [];

beforeAll(async () => {
  [server] = await Promise.all([startRedis(), simulator.start()]);
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  versions = new ClientVersions(redis);
});

beforeEach(async () => {
  lines.length = 0;
  await redis.flushall();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((checks) => checks.stop()));
  simulator.resume();
});

afterAll(async () => {
  redis.disconnect();
  await Promise.all([simulator.stop(), server.stop()]);
});

function startChecks(everyMs = 3_600_000): VersionChecks {
  const page = versionPageOf(simulator.url);
  const checks = new VersionChecks({ versions, page, everyMs, logger, askEveryMs: 10 });
  running.push(checks);
  checks.start();
  return checks;
}

/** How often all of them have looked at the page. */
function looksOf(...all: readonly VersionChecks[]): number {
  return all.flatMap(({ outcomes }) => [...outcomes.values()]).reduce((sum, count) => sum + count, 0);
}

test('one of all placers notes the newest version, and all of them see it', async () => {
  simulator.clientVersions.serve({ revision: 1_052_000_000 });
  const all = [startChecks(), startChecks(), startChecks()];
  for (const checks of all) {
    await waitFor(() => checks.view?.versions[0]?.version === NEWER, { what: 'the version' });
  }
  expect(looksOf(...all)).toBe(1);
  expect(lines.join('')).toContain('there is a newer version of WhatsApp Web');
});

test('a page that cannot be read is logged once, and shown until it can be read', async () => {
  simulator.clientVersions.serve({ status: 429 });
  const checks = startChecks(1);
  await waitFor(() => (checks.outcomes.get('failed') ?? 0) > 3, { what: 'looks that fail' });
  expect(lines.filter((line) => line.includes('is not known'))).toHaveLength(1);
  expect(checks.view?.checkError).toBe('the page answered with the status 429');
  simulator.resume();
  await waitFor(() => checks.view?.checkedAt !== undefined && checks.view.checkError === undefined, {
    what: 'a look that succeeds',
  });
});

test('without the page, what is known stays as it is', async () => {
  const rate = new ConnectRate(redis, { perSecond: 10, clientVersion: CURRENT });
  await rate.report({ version: CURRENT, purpose: 'normal', outcome: 'opened', session: undefined });
  simulator.clientVersions.serve({ text: 'garbage' });
  const checks = startChecks(1);
  await waitFor(() => looksOf(checks) > 1, { what: 'looks that fail' });
  expect(await rate.take({ urgent: 1, others: 0 })).toMatchObject({ version: CURRENT, breaker: 'closed' });
});

test('a worker that had its version refused is answered by a look', async () => {
  const checks = startChecks(200);
  await waitFor(() => looksOf(checks) === 1, { what: 'the first look' });
  const rate = new ConnectRate(redis, { perSecond: 10, clientVersion: CURRENT });
  simulator.clientVersions.serve({ revision: 1_052_000_000 });
  await rate.report({ version: CURRENT, purpose: 'normal', outcome: 'refused', session: undefined });
  await waitFor(async () => (await rate.take({ urgent: 1, others: 0 })).version === NEWER, {
    what: 'a probe of the newer version',
  });
});

test('an interval of 0 is for never', async () => {
  const checks = startChecks(0);
  await waitFor(() => checks.view !== undefined, { what: 'the versions that are known' });
  expect(looksOf(checks)).toBe(0);
  expect(await redis.keys('*')).toEqual([]);
});

test('a Redis that is out of reach ends nothing', async () => {
  const checks = startChecks(1);
  await waitFor(() => looksOf(checks) > 0, { what: 'a look' });
  await server.kill();
  await waitFor(() => redis.status !== 'ready', { what: 'the outage is noticed' });
  await server.restart();
  const before = looksOf(checks);
  await waitFor(() => looksOf(checks) > before, { what: 'a look after the outage' });
});
