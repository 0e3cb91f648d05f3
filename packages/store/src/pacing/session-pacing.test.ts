import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { SessionPacing } from './session-pacing.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const DAY_MS = 86_400_000;
const free = { sendsPerMinute: 0, newChatsPerDay: 0, warmUp: [], linkedAt: undefined };

async function owned() {
  const pacing = new SessionPacing(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  return { pacing, fence };
}

/** Moves the times of a record, as a clock that is set by this many ms in the other direction does. */
async function shift(key: string, ms: number): Promise<void> {
  for (const digest of await fixture.redis.zrange(key, '0', '-1')) {
    await fixture.redis.zincrby(key, ms, digest);
  }
}

test('as many messages are taken in a minute as the policy allows, and the next one learns when', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 2 };
  const take = (messageId: string) => pacing.take(fence, { messageId, person: [] }, policy);
  expect(await take('A')).toEqual({ kind: 'taken', isNew: false });
  expect(await take('B')).toEqual({ kind: 'taken', isNew: false });
  const refused = await take('C');
  expect(refused).toMatchObject({ kind: 'sends', limit: 2 });
  expect('waitMs' in refused && refused.waitMs).toBeGreaterThan(50_000);
  // A retry of what was taken does not count again.
  expect(await take('A')).toEqual({ kind: 'taken', isNew: false });
  expect((await pacing.read(shop, policy)).sends).toBe(2);

  await shift(keys.sends(shop), -60_001);
  expect(await take('C')).toEqual({ kind: 'taken', isNew: false });
});

test('a lower limit waits until enough messages have left the minute', async () => {
  const { pacing, fence } = await owned();
  for (const messageId of ['A', 'B', 'C']) {
    await pacing.take(fence, { messageId, person: [] }, { ...free, sendsPerMinute: 3 });
  }
  await fixture.redis.zadd(
    keys.sends(shop),
    ...spread(await fixture.redis.zrange(keys.sends(shop), '0', '-1')),
  );
  const refused = await pacing.take(fence, { messageId: 'D', person: [] }, { ...free, sendsPerMinute: 1 });
  // All but none of the three must leave: the last of them is 10 s old.
  expect('waitMs' in refused && refused.waitMs).toBeGreaterThan(45_000);
});

function spread(digests: readonly string[]): (string | number)[] {
  return digests.flatMap((digest, index) => [Date.now() - 30_000 + index * 10_000, digest]);
}

test('two workers cannot spend a budget twice: the one that lost the session takes nothing', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 2, newChatsPerDay: 1 };
  await pacing.take(fence, { messageId: 'A', person: ['1@lid'] }, policy);
  const next = await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
  await expect(pacing.take(fence, { messageId: 'B', person: [] }, policy)).rejects.toThrow(FencedError);
  expect(await pacing.take(next, { messageId: 'B', person: ['2@lid'] }, policy)).toMatchObject({
    kind: 'new-chats',
    limit: 1,
  });
  expect(await pacing.take(next, { messageId: 'B', person: [] }, policy)).toMatchObject({ kind: 'taken' });
  expect(await pacing.take(next, { messageId: 'C', person: [] }, policy)).toMatchObject({ kind: 'sends' });
});

test('messages that come at once are taken one by one', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 7 };
  const taken = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      pacing.take(fence, { messageId: `M${index}`, person: [] }, policy),
    ),
  );
  expect(taken.filter(({ kind }) => kind === 'taken')).toHaveLength(7);
});

test('a person counts once, under either id, until the chat is known', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, newChatsPerDay: 1 };
  const take = (messageId: string, ...person: string[]) => pacing.take(fence, { messageId, person }, policy);
  expect(await take('A', '491@s.whatsapp.net')).toEqual({ kind: 'taken', isNew: true });
  // The LID is learnt with the first message. It is the same person, whose chat is still not known.
  expect(await take('B', '1@lid', '491@s.whatsapp.net')).toEqual({ kind: 'taken', isNew: true });
  await pacing.noteChats(fence, ['1@lid', '491@s.whatsapp.net']);
  expect(await take('C', '1@lid')).toEqual({ kind: 'taken', isNew: false });
  expect(await take('D', '491@s.whatsapp.net')).toEqual({ kind: 'taken', isNew: false });
  expect(await take('E', '2@lid')).toMatchObject({ kind: 'new-chats' });
  expect(await pacing.knows(shop, ['1@lid'])).toBe(true);
  expect(await pacing.knows(shop, ['2@lid', '492@s.whatsapp.net'])).toBe(false);
  expect((await pacing.read(shop, policy)).newChats).toBe(1);

  await shift(keys.newChats(shop), -DAY_MS - 1);
  expect(await take('E', '2@lid')).toEqual({ kind: 'taken', isNew: true });
});

test('a chat is known for 90 days from its last message on', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, newChatsPerDay: 1 };
  await pacing.noteChats(fence, ['1@lid', '2@lid']);
  await shift(keys.knownChats(shop), -89 * DAY_MS);
  expect(await pacing.take(fence, { messageId: 'A', person: ['1@lid'] }, policy)).toMatchObject({
    isNew: false,
  });
  expect(await fixture.redis.pttl(keys.knownChats(shop))).toBeGreaterThan(89 * DAY_MS);
  await shift(keys.knownChats(shop), -2 * DAY_MS);
  expect(await pacing.take(fence, { messageId: 'B', person: ['1@lid'] }, policy)).toMatchObject({
    isNew: false,
  });
  expect(await pacing.take(fence, { messageId: 'C', person: ['2@lid'] }, policy)).toMatchObject({
    isNew: true,
  });
});

test('nothing is taken of either budget if one of them is used up', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 5, newChatsPerDay: 1 };
  await pacing.take(fence, { messageId: 'A', person: ['1@lid'] }, policy);
  await pacing.take(fence, { messageId: 'B', person: ['2@lid'] }, policy);
  expect(await pacing.read(shop, policy)).toEqual({ sends: 1, newChats: 1, newChatLimit: 1 });
});

test('the first days after linking have limits of their own', async () => {
  const { pacing } = await owned();
  const limitOn = async (linkedAt: number | undefined) => {
    const policy = { ...free, newChatsPerDay: 50, warmUp: [2, 10], linkedAt };
    return (await pacing.read(shop, policy)).newChatLimit;
  };
  const now = Date.now();
  expect(await limitOn(now)).toBe(2);
  expect(await limitOn(now + DAY_MS)).toBe(2);
  expect(await limitOn(now - DAY_MS - 1_000)).toBe(10);
  expect(await limitOn(now - 2 * DAY_MS - 1_000)).toBe(50);
  expect(await limitOn(undefined)).toBe(50);
});

test('a clock that is set back by an hour neither frees a budget nor holds it for longer than its window', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 1, newChatsPerDay: 1 };
  await pacing.take(fence, { messageId: 'A', person: ['1@lid'] }, policy);
  await shift(keys.sends(shop), 3_600_000);
  await shift(keys.newChats(shop), 3_600_000);
  const sends = await pacing.take(fence, { messageId: 'B', person: [] }, policy);
  expect(sends).toMatchObject({ kind: 'sends' });
  expect('waitMs' in sends && sends.waitMs).toBeLessThanOrEqual(60_000);
  const chats = await pacing.take(
    fence,
    { messageId: 'B', person: ['2@lid'] },
    { ...policy, sendsPerMinute: 0 },
  );
  expect('waitMs' in chats && chats.waitMs).toBeLessThanOrEqual(DAY_MS);
});

test('records are bounded, expire, name no person, and are replaced if they cannot be read', async () => {
  const { pacing, fence } = await owned();
  const policy = { ...free, sendsPerMinute: 600, newChatsPerDay: 1000 };
  for (const key of [keys.sends(shop), keys.newChats(shop), keys.knownChats(shop)]) {
    await fixture.redis.set(key, 'x');
  }
  expect(await pacing.read(shop, policy)).toMatchObject({ sends: 0, newChats: 0 });
  expect(await pacing.take(fence, { messageId: 'A', person: ['1@lid'] }, policy)).toMatchObject({
    isNew: true,
  });
  await fixture.redis.set(keys.knownChats(shop), 'x');
  const many = Array.from({ length: 7_000 }, (_, index) => [
    `${index}@lid`,
    `49${index}@s.whatsapp.net`,
  ]).flat();
  for (let start = 0; start < many.length; start += 1_000) {
    await pacing.noteChats(fence, many.slice(start, start + 1_000));
  }
  await pacing.noteChats(
    fence,
    Array.from({ length: 7_000 }, (_, index) => `8${index}@lid`),
  );
  expect(await fixture.redis.zcard(keys.knownChats(shop))).toBe(20_000);
  expect(await pacing.knows(shop, ['86999@lid'])).toBe(true);
  for (const [key, longest] of [
    [keys.sends(shop), 60_000],
    [keys.newChats(shop), DAY_MS],
    [keys.knownChats(shop), 90 * DAY_MS],
  ] as const) {
    const left = await fixture.redis.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(longest);
    expect((await fixture.redis.zrange(key, '0', '9')).join()).not.toContain('@');
  }
});
