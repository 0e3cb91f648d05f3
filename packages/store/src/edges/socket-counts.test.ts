import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { countSocketsOf, SocketCounts } from './socket-counts.js';

const fixture = useRedis();
const KEY = 'key:key_a';
const OTHER_KEY = 'key:key_b';
const TENANT = 'tenant:tnt_a';
const limit = 3;

function edge(edgeId: string): SocketCounts {
  return new SocketCounts(fixture.redis, { edgeId });
}

const ofKey = (own: number) => [{ of: KEY, own, limit }] as const;

/** Simulates that the edge's last beat was some time ago. */
async function kill(edgeId: string): Promise<void> {
  await fixture.redis.zadd(keys.edgesCounting, Date.now() - 1, edgeId);
}

test('the limit holds for all edges together', async () => {
  const [one, other] = [edge('edge_1'), edge('edge_2')];
  await Promise.all([one.beat(), other.beat()]);
  expect(await one.admit(ofKey(0))).toEqual({ full: undefined, others: [0] });
  expect(await other.admit(ofKey(0))).toEqual({ full: undefined, others: [1] });
  expect(await one.admit(ofKey(1))).toEqual({ full: undefined, others: [1] });
  expect(await other.admit(ofKey(1))).toMatchObject({ full: { of: KEY }, others: [2] });
  expect(await other.admit([{ of: OTHER_KEY, own: 0, limit }])).toMatchObject({ full: undefined });

  await one.write(new Map([[KEY, 1]]));
  expect(await other.admit(ofKey(1))).toMatchObject({ full: undefined });
});

test('a socket counts for its key and for its tenant, or for neither', async () => {
  const [one, other] = [edge('edge_1'), edge('edge_2')];
  await Promise.all([one.beat(), other.beat()]);
  const counts = (key: typeof KEY | typeof OTHER_KEY, own: number, ofTenant: number) => [
    { of: key, own, limit: 2 },
    { of: TENANT, own: ofTenant, limit: 3 } as const,
  ];
  for (const own of [0, 1]) {
    expect(await one.admit(counts(KEY, own, own))).toMatchObject({ full: undefined });
  }
  expect(await one.admit(counts(KEY, 2, 2))).toMatchObject({ full: { of: KEY } });
  expect(await other.admit(counts(OTHER_KEY, 0, 0))).toEqual({ full: undefined, others: [0, 2] });
  expect(await other.admit(counts(OTHER_KEY, 1, 1))).toMatchObject({ full: { of: TENANT, limit: 3 } });
  expect(await countSocketsOf(fixture.redis, TENANT)).toBe(3);
  expect(await countSocketsOf(fixture.redis, KEY)).toBe(2);
  await kill('edge_1');
  expect(await countSocketsOf(fixture.redis, TENANT)).toBe(1);
});

test.each(['killed', 'ended'])('an edge that was %s does not count', async (how) => {
  const [one, other] = [edge('edge_1'), edge('edge_2')];
  await Promise.all([one.beat(), other.beat()]);
  await one.write(new Map([[KEY, limit]]));
  expect(await other.admit(ofKey(0))).toMatchObject({ full: { of: KEY }, others: [limit] });

  if (how === 'killed') await kill('edge_1');
  else await one.end();
  expect(await other.admit(ofKey(0))).toEqual({ full: undefined, others: [0] });
  await other.beat();
  expect(await fixture.redis.zrange(keys.edgesCounting, 0, '-1')).toEqual(['edge_2']);
});

test('a key without sockets leaves nothing in Redis, and a count that is not written again expires', async () => {
  const one = edge('edge_1');
  await one.beat();
  await one.admit(ofKey(0));
  expect(await fixture.redis.pttl(keys.socketCounts(KEY))).toBeGreaterThan(0);
  await one.write(new Map([[KEY, 0]]));
  expect(await fixture.redis.exists(keys.socketCounts(KEY))).toBe(0);
  await one.write(new Map([[KEY, 2]]));
  expect(await fixture.redis.pttl(keys.socketCounts(KEY))).toBeGreaterThan(0);
});
