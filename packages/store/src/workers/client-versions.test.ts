import { beforeEach, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { ClientVersions } from './client-versions.js';
import { ConnectRate } from './connect-rate.js';

const fixture = useRedis();
const TIMES = { everyMs: 3_600_000, retryMs: 300_000, leastMs: 60_000 };
const CURRENT = '2.3000.1043857760';
const NEWER = '2.3000.1043900000';

let versions: ClientVersions;

beforeEach(async () => {
  versions = new ClientVersions(fixture.redis);
  const rate = new ConnectRate(fixture.redis, { perSecond: 10, clientVersion: CURRENT });
  await rate.report({ version: CURRENT, purpose: 'normal', outcome: 'opened', session: undefined });
});

test('one of all placers looks at the page, once an hour', async () => {
  const begun = await Promise.all(Array.from({ length: 5 }, () => versions.beginCheck(TIMES)));
  expect(begun.filter((isDue) => isDue)).toHaveLength(1);
  expect(await versions.noteCheck({ version: NEWER })).toBe('new');
  expect(await versions.beginCheck(TIMES)).toBe(false);
  expect(await versions.beginCheck({ ...TIMES, everyMs: 0 })).toBe(true);
});

test('a look that failed is repeated sooner, and the error stays visible until one succeeds', async () => {
  await versions.beginCheck(TIMES);
  expect(await versions.noteCheck({ error: 'no answer' })).toBe('failed');
  expect(await versions.view()).toMatchObject({ current: CURRENT, checkError: 'no answer' });
  expect(await versions.beginCheck(TIMES)).toBe(false);
  expect(await versions.beginCheck({ ...TIMES, retryMs: 0 })).toBe(true);
  expect(await versions.noteCheck({ version: CURRENT })).toBe('known');
  const view = await versions.view();
  expect(view.checkError).toBeUndefined();
  expect(Math.abs(Date.now() - (view.checkedAt ?? 0))).toBeLessThan(60_000);
});

test('a look whose placer died is repeated', async () => {
  await versions.beginCheck(TIMES);
  expect(await versions.beginCheck({ ...TIMES, leastMs: 0 })).toBe(true);
});

test('a version that is older than the one in use is noted, and one that cannot be right is not', async () => {
  expect(await versions.noteCheck({ version: '2.3000.1043000000' })).toBe('older');
  expect(await versions.noteCheck({ version: '2.3000.9999999999' })).toBe('implausible');
  expect(await versions.noteCheck({ version: '2.3000.12' })).toBe('implausible');
  const view = await versions.view();
  expect(view.current).toBe(CURRENT);
  expect(view.versions.map(({ version }) => version)).toEqual([CURRENT, '2.3000.1043000000']);
  expect(view.checkError).toContain('2.3000.12');
});

test('the version that the page names is kept, however many newer ones are known', async () => {
  for (const step of [4, 3, 2, 1]) await versions.noteCheck({ version: `2.3000.${1_043_857_760 + step}` });
  const view = await versions.view();
  expect(view.versions.map(({ version }) => version)).toContain('2.3000.1043857761');
});

test('a look is due after the clock of Redis was set back', async () => {
  await fixture.redis.hset(keys.clientVersions, { attemptAt: Date.now() + 86_400_000 });
  expect(await versions.beginCheck(TIMES)).toBe(true);
});

test('only the last versions are kept', async () => {
  for (let step = 1; step <= 20; step += 1) {
    await versions.noteCheck({ version: `2.3000.${1_043_857_760 + step * 1_000}` });
  }
  const view = await versions.view();
  expect(view.versions.map(({ version }) => version)).toEqual([
    '2.3000.1043877760',
    '2.3000.1043876760',
    '2.3000.1043875760',
    CURRENT,
  ]);
});
