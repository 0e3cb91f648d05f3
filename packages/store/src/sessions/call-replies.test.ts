import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { CallReplies } from './call-replies.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };

test('a caller is noted once an hour, whichever worker has the session', async () => {
  const replies = new CallReplies(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  expect(await replies.note(fence, '1@lid')).toBe(true);
  expect(await replies.note(fence, '1@lid')).toBe(false);
  expect(await replies.note(fence, '2@lid')).toBe(true);
  const next = await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
  expect(await replies.note(next, '1@lid')).toBe(false);

  const key = keys.callReplies(shop);
  expect(await fixture.redis.pttl(key)).toBeGreaterThan(3_500_000);
  const callers = await fixture.redis.zrange(key, '0', '-1');
  expect(callers).toHaveLength(2);
  for (const caller of callers) {
    expect(caller).not.toContain('lid');
    await fixture.redis.zadd(key, String(Date.now() - 3_600_001), caller);
  }
  expect(await replies.note(next, '1@lid')).toBe(true);
});

test('a hundred callers are noted in an hour', async () => {
  const replies = new CallReplies(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const noted = await Promise.all(
    Array.from({ length: 105 }, (_, index) => replies.note(fence, `${index}@lid`)),
  );
  expect(noted.filter((isNoted) => isNoted)).toHaveLength(100);
});

test('a record that cannot be read is replaced', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await fixture.redis.set(keys.callReplies(shop), 'x');
  expect(await new CallReplies(fixture.redis).note(fence, '1@lid')).toBe(true);
});
