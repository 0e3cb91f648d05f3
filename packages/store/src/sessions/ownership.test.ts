import { describe, expect, test } from 'vitest';
import { EventLog } from '../events/event-log.js';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { Ownership } from './ownership.js';
import { SessionDirectory } from './session-directory.js';

const fixture = useRedis();
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };

describe('a claim', () => {
  test('of a free session gives the first epoch', async () => {
    await new SessionDirectory(fixture.redis).create(ref);
    const ownership = new Ownership(fixture.redis);
    expect(await ownership.read(ref)).toBeUndefined();
    expect(await ownership.claim(ref, { worker: 'wrk_a' })).toEqual({
      fence: { ...ref, epoch: 1, worker: 'wrk_a' },
    });
    expect(await ownership.read(ref)).toEqual({ epoch: 1, worker: 'wrk_a' });
  });

  test('of a session that is in no directory is refused', async () => {
    await expect(new Ownership(fixture.redis).claim(ref, { worker: 'wrk_a' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await fixture.redis.keys(`wf:{${ref.tenantId}}*`)).toEqual([]);
  });

  test('of another worker’s session is refused and names the owner', async () => {
    await ownedSession(fixture.redis, ref, 'wrk_a');
    const ownership = new Ownership(fixture.redis);
    const refused = { refusedBy: { epoch: 1, worker: 'wrk_a' } };
    expect(await ownership.claim(ref, { worker: 'wrk_b' })).toEqual(refused);
    expect(await ownership.claim(ref, { worker: 'wrk_b', expectPrevious: 'wrk_c' })).toEqual(refused);
  });

  test('by the same worker fences its earlier claim off', async () => {
    const first = await ownedSession(fixture.redis, ref, 'wrk_a');
    const second = await claimed(fixture.redis, ref, 'wrk_a');
    expect(second.epoch).toBe(2);
    const log = new EventLog(fixture.redis, { maxLength: 10 });
    await expect(log.append(first, [{ event: 'call', body: '{"a":1}' }])).rejects.toThrow(FencedError);
    await log.append(second, [{ event: 'call', body: '{"a":1}' }]);
  });

  test('is won by one of many rivals with the same evidence', async () => {
    await ownedSession(fixture.redis, ref, 'wrk_dead');
    const rivals = Array.from({ length: 10 }, (_, index) => ({
      worker: `wrk_${index}`,
      ownership: new Ownership(fixture.connect('command')),
    }));
    const results = await Promise.all(
      rivals.map(({ worker, ownership }) => ownership.claim(ref, { worker, expectPrevious: 'wrk_dead' })),
    );
    const winners = results.filter((result) => 'fence' in result).map(({ fence }) => fence.worker);
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if ('refusedBy' in result) expect(result.refusedBy).toEqual({ epoch: 2, worker: winners[0] });
    }
  });
});

test('a release clears the worker, keeps the epoch and happens once', async () => {
  const fence = await ownedSession(fixture.redis, ref, 'wrk_a');
  const ownership = new Ownership(fixture.redis);
  expect(await ownership.release(fence)).toBe(true);
  expect(await ownership.read(ref)).toEqual({ epoch: 1, worker: undefined });
  expect(await ownership.release(fence)).toBe(false);
  expect((await claimed(fixture.redis, ref, 'wrk_b')).epoch).toBe(2);
});

test('readMany keeps the order and returns undefined for a session that was never claimed', async () => {
  const other = { tenantId: 'tnt_b', sessionId: 'desk' };
  await ownedSession(fixture.redis, ref, 'wrk_a');
  await ownedSession(fixture.redis, other, 'wrk_b');
  const unknown = { tenantId: 'tnt_b', sessionId: 'none' };
  expect(await new Ownership(fixture.redis).readMany([other, unknown, ref])).toEqual([
    { epoch: 1, worker: 'wrk_b' },
    undefined,
    { epoch: 1, worker: 'wrk_a' },
  ]);
});

test.each([
  ['its own epoch', keys.owner(ref)],
  ['the highest epoch of purged sessions', keys.purgedEpoch(ref.tenantId)],
])('a claim leaves no owner that no fence matches where %s cannot be read', async (_, key) => {
  const { redis } = fixture;
  await new SessionDirectory(redis).create(ref);
  if (key === keys.owner(ref)) await redis.hset(key, 'epoch', 'many');
  else await redis.lpush(key, 'x');
  const fence = await claimed(redis, ref, 'wrk_a');
  expect(await new Ownership(redis).read(ref)).toEqual({ epoch: fence.epoch, worker: 'wrk_a' });
  // The epoch is greater than every epoch that may have been given.
  expect(fence.epoch).toBeGreaterThan(1_000_000_000_000);
  expect((await claimed(redis, ref, 'wrk_a')).epoch).toBe(fence.epoch + 1);
});
