import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { PlacementRanks } from './placement-ranks.js';

const fixture = useRedis();
const linesOf = () => new PlacementRanks(fixture.redis);

test('each session gets its place among the sessions with the same tenant and reason', async () => {
  const lines = linesOf();
  expect(await lines.join('acme', 'crash', ['a', 'b', 'c'])).toEqual([1, 2, 3]);
  expect(await lines.join('acme', 'crash', ['d'])).toEqual([4]);
  expect(await lines.join('acme', 'create', ['a'])).toEqual([1]);
  expect(await lines.join('globex', 'crash', ['a'])).toEqual([1]);
});

test('joining a line twice does not make it longer, and leaving it makes it shorter', async () => {
  const lines = linesOf();
  await lines.join('acme', 'crash', ['a', 'b']);
  expect(await lines.join('acme', 'crash', ['a', 'c'])).toEqual([2, 3]);
  await lines.leave({ tenantId: 'acme', sessionId: 'a' }, 'crash');
  expect(await lines.join('acme', 'crash', ['d'])).toEqual([3]);
});

test('an entry that is never removed is forgotten', async () => {
  const lines = linesOf();
  await lines.join('acme', 'crash', ['a', 'b']);
  await fixture.redis.zadd(keys.placementLine('acme', 'crash'), 'XX', 1, 'a');
  expect(await lines.join('acme', 'crash', ['c'])).toEqual([2]);
});
