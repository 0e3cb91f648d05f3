import { expect, test } from 'vitest';
import { Cipher, SealedValueError } from '../auth/cipher.js';
import { EventLog } from '../events/event-log.js';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { MessageSecrets } from './message-secrets.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('22'.repeat(32));
const secretsOf = (ref = shop, by = cipher) =>
  new MessageSecrets({ redis: fixture.redis, cipher: by }).ofSession(ref);
const event = { event: 'messages.upsert', body: '{"a":1}' } as const;
const [current = '', before = ''] = keys.secrets(shop);

async function keep(...entries: [string, string][]) {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const secrets = entries.map(([id, text]) => secretsOf().seal(id, Buffer.from(text)));
  return new EventLog(fixture.redis).append(fence, [event], { secrets });
}

test('a secret is kept with the events of its message, and nothing of it can be read in Redis', async () => {
  const [position] = await keep(['A1', 'a secret of a message']);
  expect(position).toMatchObject({ seq: 1 });
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('a secret of a message'));
  expect(await secretsOf().find('A2')).toBeUndefined();
  expect(await secretsOf({ ...shop, sessionId: 'desk' }).find('A1')).toBeUndefined();
  expect((await everythingIn(fixture.redis)).includes('a secret of')).toBe(false);
  const other = secretsOf(shop, Cipher.fromHexKeys('33'.repeat(32)));
  await expect(other.find('A1')).rejects.toThrow(SealedValueError);
});

test('the first message of an id keeps its secret, also when it is an earlier one', async () => {
  await keep(['A1', 'first'], ['A1', 'second']);
  await keep(['A1', 'third']);
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('first'));
  await fixture.redis.rename(current, before);
  await keep(['A1', 'fourth'], ['A2', 'other']);
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('first'));
  expect(await secretsOf().find('A2')).toEqual(Buffer.from('other'));
});

test('secrets are kept without events, and by the owner alone', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const secrets = [secretsOf().seal('A1', Buffer.from('x'))];
  const log = new EventLog(fixture.redis);
  await log.append(fence, [], { secrets });
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('x'));
  const stale = { ...fence, epoch: fence.epoch + 1 };
  const more = [secretsOf().seal('A2', Buffer.from('y'))];
  await expect(log.append(stale, [event], { secrets: more })).rejects.toThrow(FencedError);
  expect(await secretsOf().find('A2')).toBeUndefined();
});

test('a secret is kept for seven to fourteen days', async () => {
  await keep(['A1', 'x']);
  expect(await fixture.redis.pttl(current)).toBeGreaterThan(14 * DAY_MS - 60_000);
  // Simulates seven days later.
  await fixture.redis.pexpire(current, 7 * DAY_MS - 1);
  await keep(['A2', 'y']);
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('x'));
  expect(await fixture.redis.hkeys(current)).toEqual(['A2']);
  expect(await fixture.redis.pttl(before)).toBeLessThan(7 * DAY_MS);
  expect(await fixture.redis.pttl(current)).toBeGreaterThan(14 * DAY_MS - 60_000);
});

test('20,000 secrets are kept at most', async () => {
  const sealed = Buffer.from('x');
  const full = Object.fromEntries(Array.from({ length: 9_999 }, (_, index) => [`old ${index}`, sealed]));
  await fixture.redis.hset(before, full);
  await fixture.redis.hset(current, full);
  await fixture.redis.pexpire(current, 14 * DAY_MS);
  await keep(['A1', 'x']);
  expect(await fixture.redis.exists(current)).toBe(0);
  expect(await fixture.redis.hlen(before)).toBe(10_000);
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('x'));
});

test.each([
  ['later', current],
  ['earlier', before],
])('a text in place of the %s secrets stops no append, and what comes is kept', async (_which, key) => {
  await fixture.redis.set(key, 'later');
  const positions = await keep(['A1', 'first']);
  expect(positions).toHaveLength(1);
  expect(await secretsOf().find('A1')).toEqual(Buffer.from('first'));
});
