import { expect, it } from 'vitest';
import { startReplicatedRedis } from './start-replicated-redis.js';

it('makes the replica the primary without the last writes', async ({ onTestFinished }) => {
  const redis = await startReplicatedRedis();
  onTestFinished(() => redis.stop());
  const { primary, replica, sentinels } = redis;
  expect(redis.url).toBe(
    `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/wafleet`,
  );

  await primary.command('SET', 'early', 'yes');
  await redis.stopReplication();
  await primary.command('SET', 'late', 'yes');
  expect(await primary.command('GET', 'late')).toBe('$3\r\nyes\r\n');
  await redis.failOver();
  expect(await replica.command('ROLE')).toContain('master');
  expect(await replica.command('GET', 'early')).toBe('$3\r\nyes\r\n');
  expect(await replica.command('GET', 'late')).toBe('$-1\r\n');
}, 120_000);
