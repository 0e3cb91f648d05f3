import { expect, test } from 'vitest';
import { keys } from './keyspace.js';
import { SocketCounts } from './socket-counts.js';
import { useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();
const KEY = 'key_a';
const limit = 3;

function edge(edgeId: string): SocketCounts {
  return new SocketCounts(fixture.redis, { edgeId });
}

/** As if the edge had beaten last some time ago. */
async function kill(edgeId: string): Promise<void> {
  await fixture.redis.zadd(keys.edgesCounting, Date.now() - 1, edgeId);
}

test('the limit holds for all edges together', async () => {
  const [one, other] = [edge('edge_1'), edge('edge_2')];
  await Promise.all([one.beat(), other.beat()]);
  expect(await one.admit(KEY, { own: 0, limit })).toEqual({ isAdmitted: true, others: 0 });
  expect(await other.admit(KEY, { own: 0, limit })).toEqual({ isAdmitted: true, others: 1 });
  expect(await one.admit(KEY, { own: 1, limit })).toEqual({ isAdmitted: true, others: 1 });
  expect(await other.admit(KEY, { own: 1, limit })).toEqual({ isAdmitted: false, others: 2 });
  expect(await other.admit('key_b', { own: 0, limit })).toMatchObject({ isAdmitted: true });

  await one.write(new Map([[KEY, 1]]));
  expect(await other.admit(KEY, { own: 1, limit })).toMatchObject({ isAdmitted: true });
});

test.each(['killed', 'ended'])('an edge that was %s does not count', async (how) => {
  const [one, other] = [edge('edge_1'), edge('edge_2')];
  await Promise.all([one.beat(), other.beat()]);
  await one.write(new Map([[KEY, limit]]));
  expect(await other.admit(KEY, { own: 0, limit })).toEqual({ isAdmitted: false, others: limit });

  if (how === 'killed') await kill('edge_1');
  else await one.end();
  expect(await other.admit(KEY, { own: 0, limit })).toEqual({ isAdmitted: true, others: 0 });
  await other.beat();
  expect(await fixture.redis.zrange(keys.edgesCounting, 0, '-1')).toEqual(['edge_2']);
});

test('nothing stays of a key without sockets, and what nobody writes again goes', async () => {
  const one = edge('edge_1');
  await one.beat();
  await one.admit(KEY, { own: 0, limit });
  expect(await fixture.redis.pttl(keys.socketCounts(KEY))).toBeGreaterThan(0);
  await one.write(new Map([[KEY, 0]]));
  expect(await fixture.redis.exists(keys.socketCounts(KEY))).toBe(0);
  await one.write(new Map([[KEY, 2]]));
  expect(await fixture.redis.pttl(keys.socketCounts(KEY))).toBeGreaterThan(0);
});
