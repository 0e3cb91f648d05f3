import { expect, test } from 'vitest';
import { Cipher, SealedValueError } from '../auth/cipher.js';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { type ReceivedFile, ReceivedMedia } from './received-media.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('22'.repeat(32));
const mediaOf = () => new ReceivedMedia({ redis: fixture.redis, cipher });

function received(id: string, directPath = '/v/a', sender = '1@lid'): ReceivedFile {
  return {
    key: { id, remoteJid: 'team@g.us', fromMe: false, participant: sender },
    file: {
      kind: 'image',
      mimetype: 'image/png',
      directPath,
      mediaKey: Buffer.alloc(32, 7).toString('base64'),
    },
  };
}

test('a file comes back by its message’s id, and nothing of it can be read in Redis', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await mediaOf().put(fence, [received('A1', '/v/secret-path')]);
  expect(await mediaOf().get(shop, 'A1')).toEqual(received('A1', '/v/secret-path'));
  expect(await mediaOf().get(shop, 'A2')).toBeUndefined();
  expect(await mediaOf().get({ ...shop, sessionId: 'desk' }, 'A1')).toBeUndefined();
  const everything = await everythingIn(fixture.redis);
  expect(everything.includes('secret-path') || everything.includes('team@g.us')).toBe(false);
  const other = new ReceivedMedia({ redis: fixture.redis, cipher: Cipher.fromHexKeys('33'.repeat(32)) });
  await expect(other.get(shop, 'A1')).rejects.toThrow(SealedValueError);
});

test('a later file of a message replaces its file, but not one of another author with the same id', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await mediaOf().put(fence, [received('A1', '/v/first')]);
  await mediaOf().put(fence, [received('A1', '/v/uploaded-again')]);
  expect((await mediaOf().get(shop, 'A1'))?.file.directPath).toBe('/v/uploaded-again');

  await mediaOf().put(fence, [received('A1', '/v/other', '2@lid')]);
  expect((await mediaOf().get(shop, 'A1'))?.file.directPath).toBe('/v/uploaded-again');
  // Simulates days later: the first file is in another day's bucket.
  const buckets = keys.media(shop);
  const [today = ''] = await fixture.redis.keys('*:media:*');
  const oldest = buckets[(buckets.indexOf(today) + 1) % buckets.length] ?? '';
  await fixture.redis.rename(today, oldest);
  await mediaOf().put(fence, [received('A1', '/v/other', '2@lid')]);
  expect((await mediaOf().get(shop, 'A1'))?.file.directPath).toBe('/v/uploaded-again');
  await mediaOf().put(fence, [received('A1', '/v/newest')]);
  expect((await mediaOf().get(shop, 'A1'))?.file.directPath).toBe('/v/newest');
});

test('a history of many files is kept, up to a number a day', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const files = Array.from({ length: 20_050 }, (_, index) => received(`H${index}`));
  await mediaOf().put(fence, files);
  const [bucket = ''] = await fixture.redis.keys('*:media:*');
  expect(await fixture.redis.hlen(bucket)).toBe(20_000);
  expect(await mediaOf().get(shop, 'H0')).toBeDefined();
  expect(await mediaOf().get(shop, 'H20049')).toBeUndefined();
  await mediaOf().put(fence, [received('H0', '/v/uploaded-again')]);
  expect((await mediaOf().get(shop, 'H0'))?.file.directPath).toBe('/v/uploaded-again');
  const life = await fixture.redis.pttl(bucket);
  expect(life).toBeGreaterThan(7 * DAY_MS - 1000);
  expect(life).toBeLessThanOrEqual(8 * DAY_MS);
});

test('only the owner keeps files, and they go with the session', async () => {
  const former = await ownedSession(fixture.redis, shop, 'wrk_a');
  const fence = await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
  await expect(mediaOf().put(former, [received('A1')])).rejects.toThrow(FencedError);
  expect(await mediaOf().get(shop, 'A1')).toBeUndefined();
  await mediaOf().put(fence, [received('A1')]);
  await new SessionDirectory(fixture.redis).purge(shop);
  expect(await fixture.redis.keys('*:media:*')).toEqual([]);
});

test('a file can be stored even if all buckets are texts', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  for (const bucket of keys.media(shop)) await fixture.redis.set(bucket, 'later');
  await mediaOf().put(fence, [received('A1', '/v/first')]);
  expect(await mediaOf().get(shop, 'A1')).toBeDefined();
});
