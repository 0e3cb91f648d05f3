import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { PasskeyLinks } from './passkey-links.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const other = { tenantId: 'tnt_a', sessionId: 'other' };
const soon = () => Date.now() + 60_000;

test('a token leads to its session, until another one is made or it is ended', async () => {
  const links = new PasskeyLinks(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const first = await links.create(shop, soon());
  const ofOther = await links.create(other, soon());
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(await links.find(first)).toEqual(shop);

  const second = await links.create(shop, soon());
  expect(await links.find(first)).toBeUndefined();
  expect(await links.find(second)).toEqual(shop);
  await links.end(fence);
  expect(await links.find(second)).toBeUndefined();
  expect(await links.find(ofOther)).toEqual(other);
});

test('the life of a token can be shortened, and not prolonged', async () => {
  const links = new PasskeyLinks(fixture.redis);
  const fence = await ownedSession(fixture.redis, { ...shop, sessionId: 'linked' }, 'wrk_a');
  const token = await links.create(fence, soon());
  await links.endWithin(fence, 600_000);
  expect(await fixture.redis.pttl(keys.passkeyLink(fence))).toBeLessThanOrEqual(60_000);
  await links.endWithin(fence, 50);
  await waitFor(async () => (await links.find(token)) === undefined, { what: 'the end of the token' });
  await links.endWithin(fence, 50);
});

test('a token is not stored, expires, and is not found by a part of its hash', async () => {
  const links = new PasskeyLinks(fixture.redis);
  const token = await links.create(shop, soon());
  const stored = await fixture.redis.keys('*');
  const values = await Promise.all(stored.map((key) => fixture.redis.get(key)));
  expect([...stored, ...values].join()).not.toContain(token);
  for (const key of stored) expect(await fixture.redis.pttl(key)).toBeGreaterThan(0);

  const [lookup = ''] = stored.filter((key) => key.startsWith(keys.passkeyToken('')));
  await fixture.redis.set(lookup, JSON.stringify({ ...shop, hash: 'of another token' }));
  expect(await links.find(token)).toBeUndefined();
  for (const damaged of ['{', '{}', '[]']) {
    await fixture.redis.set(lookup, damaged);
    expect(await links.find(token)).toBeUndefined();
  }

  const short = await links.create(shop, Date.now() + 50);
  await waitFor(async () => (await links.find(short)) === undefined, { what: 'the end of the token' });
  for (const wrong of ['', 'x', token.slice(1), 'x'.repeat(10_000)]) {
    expect(await links.find(wrong)).toBeUndefined();
  }
});
