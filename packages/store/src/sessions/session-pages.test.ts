import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { claimed, useRedis } from '../testing/redis-fixture.js';
import { SessionDirectory } from './session-directory.js';
import { SessionPages } from './session-pages.js';

const fixture = useRedis();
const TENANT = 'tnt_a';

async function create(...sessionIds: string[]): Promise<void> {
  const directory = new SessionDirectory(fixture.redis);
  for (const sessionId of sessionIds) await directory.create({ tenantId: TENANT, sessionId });
}

/** Sets when sessions were made. */
async function madeAt(times: Readonly<Record<string, number>>): Promise<void> {
  for (const [sessionId, createdAt] of Object.entries(times)) {
    await fixture.redis.hset(keys.session({ tenantId: TENANT, sessionId }), 'createdAt', createdAt);
    await fixture.redis.zadd(keys.sessionOrder(TENANT), createdAt, sessionId);
  }
}

async function listed(limit: number, only?: ReadonlySet<string>): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await new SessionPages(fixture.redis, new SessionDirectory(fixture.redis)).page(TENANT, {
      limit,
      cursor,
      only,
    });
    pages.push(page.sessions.map(({ sessionId }) => sessionId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return pages;
}

test('pages hold each session once, oldest first, those of one moment by id', async () => {
  await create('a', 'b', 'c', 'd', 'e');
  await madeAt({ a: 300, b: 100, c: 200, d: 200, e: 200 });
  expect(await listed(2)).toEqual([['b', 'c'], ['d', 'e'], ['a']]);
  expect(await listed(5)).toEqual([['b', 'c', 'd', 'e', 'a']]);
  expect(await listed(1)).toEqual([['b'], ['c'], ['d'], ['e'], ['a']]);
  expect(await listed(2, new Set(['a', 'd', 'b', 'none']))).toEqual([['b', 'd'], ['a']]);
  expect(await listed(2, new Set())).toEqual([[]]);
});

test('a session that is removed or made between two pages disturbs no other', async () => {
  await create('a', 'b', 'c', 'd');
  await madeAt({ a: 100, b: 100, c: 100, d: 100 });
  const pages = new SessionPages(fixture.redis, new SessionDirectory(fixture.redis));
  const { nextCursor } = await pages.page(TENANT, { limit: 2 });
  await new SessionDirectory(fixture.redis).purge({ tenantId: TENANT, sessionId: 'b' });
  await create('new');
  const { sessions } = await pages.page(TENANT, { limit: 5, cursor: nextCursor });
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(['c', 'd', 'new']);
});

test('a directory of a release without pages is listed in order', async () => {
  await create('a', 'b', 'c');
  await madeAt({ a: 300, b: 100, c: 200 });
  await fixture.redis.del(keys.sessionOrder(TENANT));
  expect(await listed(2)).toEqual([['b', 'c'], ['a']]);
  // Simulates that a process of such a release removed one.
  await fixture.redis.srem(keys.sessions(TENANT), 'c');
  await fixture.redis.del(keys.session({ tenantId: TENANT, sessionId: 'c' }));
  expect(await listed(5)).toEqual([['b', 'a']]);
});

test('a page has the same records as the directory, and its cost depends on its size', async () => {
  await create(...Array.from({ length: 150 }, (_, index) => `s${String(index).padStart(3, '0')}`));
  await claimed(fixture.redis, { tenantId: TENANT, sessionId: 's000' }, 'wrk_a');
  const directory = new SessionDirectory(fixture.redis);
  const pages = new SessionPages(fixture.redis, new SessionDirectory(fixture.redis));
  const { sessions } = await pages.page(TENANT, { limit: 120 });
  expect(sessions).toHaveLength(120);
  expect(sessions.find(({ sessionId }) => sessionId === 's000')).toEqual(
    await directory.get({ tenantId: TENANT, sessionId: 's000' }),
  );
  expect((await directory.list(TENANT)).length).toBe(150);
  const seen: string[] = [];
  for await (const page of pages.pages(TENANT, { limit: 60 }))
    seen.push(...page.map(({ sessionId }) => sessionId));
  expect(new Set(seen).size).toBe(150);
  expect(seen).toHaveLength(150);

  await fixture.redis.config('RESETSTAT');
  await pages.page(TENANT, { limit: 5 });
  const stats = await fixture.redis.info('commandstats');
  expect(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1]).toBe('5');
  expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('2');
});

test('pages of a list hold existing sessions in the usual order, at the cost of the shorter of both', async () => {
  await create('a', 'b', 'c', 'd', 'e');
  await madeAt({ a: 300, b: 100, c: 200, d: 200, e: 200 });
  const pages = new SessionPages(fixture.redis, new SessionDirectory(fixture.redis));
  const pagesOf = async (only: readonly string[], limit: number) => {
    const read: string[][] = [];
    for await (const page of pages.pages(TENANT, { limit, only: new Set(only) }))
      read.push(page.map(({ sessionId }) => sessionId));
    return read;
  };
  const none = Array.from({ length: 900 }, (_, index) => `none-${index}`);
  expect(await pagesOf(['a', 'none', 'd', 'b'], 2)).toEqual([['b', 'd'], ['a']]);
  expect(await pagesOf(['a', 'none', 'd', 'b'], 4)).toEqual([['b', 'd', 'a']]);
  expect(await pagesOf([], 4)).toEqual([]);
  expect(await pagesOf(['none'], 4)).toEqual([]);
  await fixture.redis.config('RESETSTAT');
  expect(await pagesOf([...none, 'a', 'd', 'b'], 2)).toEqual([['b', 'd'], ['a']]);
  const stats = await fixture.redis.info('commandstats');
  expect(stats).not.toContain('cmdstat_zscore');
  expect(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1]).toBe('3');
  expect(
    await new SessionPages(fixture.redis, new SessionDirectory(fixture.redis)).page('tnt_none', {
      limit: 2,
      only: new Set(none),
    }),
  ).toEqual({ sessions: [], nextCursor: undefined });
});

test.each(['', 'x', 'MTIz', Buffer.from('{x} 1').toString('base64url')])(
  'a cursor "%s" is refused',
  async (cursor) => {
    await expect(
      new SessionPages(fixture.redis, new SessionDirectory(fixture.redis)).page(TENANT, { limit: 1, cursor }),
    ).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  },
);

test('no more sessions are made than a tenant may have, also at the same moment', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const other = new SessionDirectory(fixture.connect('command'));
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? directory : other).create(
        { tenantId: TENANT, sessionId: `s${index}` },
        { maxSessions: 5 },
      ),
    ),
  );
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  expect(tries.find((each) => each.status === 'rejected')?.reason).toMatchObject({
    code: 'TOO_MANY_SESSIONS',
    details: { resource: 'sessions', limit: 5, used: 5, retryAfterMs: expect.any(Number) },
  });
  // The administrator's limit overrides the default, and removing a session leaves room.
  await new TenantLimitTable(fixture.redis).change(TENANT, { sessions: 6 });
  await directory.create({ tenantId: TENANT, sessionId: 'sixth' }, { maxSessions: 5 });
  const seventh = () => directory.create({ tenantId: TENANT, sessionId: 'seventh' }, { maxSessions: 5 });
  await expect(seventh()).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
  await directory.purge({ tenantId: TENANT, sessionId: 'sixth' });
  await seventh();
  await expect(
    directory.create({ tenantId: TENANT, sessionId: 'seventh' }, { maxSessions: 5 }),
  ).rejects.toMatchObject({ code: 'SESSION_EXISTS' });
});
