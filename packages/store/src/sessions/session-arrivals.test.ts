import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { noteArrivals } from './session-arrivals.js';
import { SessionDirectory } from './session-directory.js';

const fixture = useRedis();
const refOf = (tenantId: string, sessionId: string) => ({ tenantId, sessionId });

test('arrivals of sessions of several tenants show in the directory', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const fences = [
    await ownedSession(fixture.redis, refOf('tnt_a', 'one'), 'wrk_a'),
    await ownedSession(fixture.redis, refOf('tnt_a', 'two'), 'wrk_a'),
    await ownedSession(fixture.redis, refOf('tnt_b', 'one'), 'wrk_a'),
  ];
  const arrivals = fences.map((fence, index) => ({
    fence,
    lastStanzaAt: 2_000 + index,
    lastMessageAt: index === 1 ? 0 : 1_000 + index,
  }));
  expect(await noteArrivals(fixture.redis, arrivals)).toBe(3);
  expect(await directory.getMany(fences)).toMatchObject([
    { sessionId: 'one', lastStanzaAt: 2_000, lastMessageAt: 1_000 },
    { sessionId: 'two', lastStanzaAt: 2_001 },
    { sessionId: 'one', lastStanzaAt: 2_002, lastMessageAt: 1_002 },
  ]);
  expect((await directory.get(refOf('tnt_a', 'two')))?.lastMessageAt).toBeUndefined();
});

test('more sessions of one tenant than one script takes are all noted', async () => {
  const fences = await Promise.all(
    Array.from({ length: 101 }, (_, index) =>
      ownedSession(fixture.redis, refOf('tnt_a', `session-${index}`), 'wrk_a'),
    ),
  );
  const arrivals = fences.map((fence) => ({ fence, lastStanzaAt: 1_000, lastMessageAt: 0 }));
  expect(await noteArrivals(fixture.redis, arrivals)).toBe(101);
});

test('sessions of another worker and sessions with damaged records do not block other arrivals', async () => {
  const lost = await ownedSession(fixture.redis, refOf('tnt_a', 'lost'), 'wrk_a');
  await claimed(fixture.redis, refOf('tnt_a', 'lost'), 'wrk_b', 'wrk_a');
  const damaged = await ownedSession(fixture.redis, refOf('tnt_a', 'damaged'), 'wrk_a');
  await fixture.redis.set(keys.session(damaged), 'not a hash');
  const unowned = await ownedSession(fixture.redis, refOf('tnt_a', 'unowned'), 'wrk_a');
  await fixture.redis.set(keys.owner(unowned), 'not a hash');
  const own = await ownedSession(fixture.redis, refOf('tnt_a', 'own'), 'wrk_a');
  const arrivals = [lost, damaged, unowned, own].map((fence) => ({
    fence,
    lastStanzaAt: 1_000,
    lastMessageAt: 0,
  }));
  expect(await noteArrivals(fixture.redis, arrivals)).toBe(1);
  const directory = new SessionDirectory(fixture.redis);
  expect((await directory.get(lost))?.lastStanzaAt).toBeUndefined();
  expect((await directory.get(own))?.lastStanzaAt).toBe(1_000);
});
