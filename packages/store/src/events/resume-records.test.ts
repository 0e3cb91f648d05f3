import { createLogger } from '@wafleet/runtime';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { countResumeRecords, ResumeRecords } from './resume-records.js';

const LIFE_MS = 60_000;
const SHORTENED_MS = 20_000;
const ref = { tenantId: 'tnt_test', secret: 'a-secret' };
const subscribed = {
  subscription: '[["*",["call"]]]',
  position: { epoch: '1795326841000', seq: 5 },
  isIntroduced: false,
};

let redis: TestRedis;
let connection: RedisConnection;
let records: ResumeRecords;

beforeAll(async () => {
  redis = await startRedis();
  connection = connectRedis({
    url: redis.url,
    role: 'command',
    name: 'test',
    logger: createLogger({ app: 'test', level: 'silent' }),
  });
  records = new ResumeRecords(connection, { lifeMs: LIFE_MS });
});
beforeEach(() => connection.flushall());
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

async function remainingMs(): Promise<number> {
  const [key = ''] = await connection.keys('*:resume:*');
  return connection.pttl(key);
}

async function shorten(): Promise<void> {
  const [key = ''] = await connection.keys('*:resume:*');
  await connection.pexpire(key, SHORTENED_MS);
}

it('distinguish a client that has not subscribed from an unknown client', async () => {
  expect(await records.find(ref)).toBeUndefined();
  await records.create(ref, 'key_1');
  expect(await records.find(ref)).toEqual({ keyId: 'key_1', subscribed: undefined });
  expect(await records.find({ ...ref, tenantId: 'tnt_other' })).toBeUndefined();
});

it('hold what a client is subscribed to, and how far it has got', async () => {
  await records.create(ref, 'key_1');
  await records.save(ref, 'key_1', subscribed);
  expect(await records.find(ref)).toEqual({ keyId: 'key_1', subscribed });
  const point = { position: { epoch: '1795326841000', seq: 9 }, isIntroduced: true };
  await records.advance(ref, point);
  expect(await records.find(ref)).toEqual({ keyId: 'key_1', subscribed: { ...subscribed, ...point } });
  await records.delete(ref);
  expect(await records.find(ref)).toBeUndefined();
});

it('live on from each write, and from each time they are kept', async () => {
  for (const write of [
    () => records.create(ref, 'key_1'),
    () => records.save(ref, 'key_1', subscribed),
    () => records.advance(ref, subscribed),
    () => records.keep(ref),
  ]) {
    await write();
    expect(await remainingMs()).toBeGreaterThan(SHORTENED_MS);
    await shorten();
  }
  expect(await records.find(ref)).toEqual({ keyId: 'key_1', subscribed });
});

it('are not made by noting how far a client without one has got', async () => {
  await records.advance(ref, subscribed);
  await records.keep(ref);
  expect(await connection.keys('*')).toEqual([]);
});

const named = (name: string) => ({ ...ref, secret: name });
const sized = (bytes: number) => ({ ...subscribed, subscription: 'x'.repeat(bytes) });
const known = async (names: readonly string[]) => {
  const found = await Promise.all(names.map((name) => records.find(named(name))));
  return names.filter((_, index) => found[index] !== undefined);
};

it('are kept for minutes until their client has shown that it is there', async () => {
  const long = new ResumeRecords(connection, { lifeMs: 24 * 60 * 60 * 1000 });
  await long.create(ref, 'key_1');
  await long.save(ref, 'key_1', subscribed);
  expect(await remainingMs()).toBeLessThanOrEqual(15 * 60 * 1000);
  await long.keep(ref);
  expect(await remainingMs()).toBeGreaterThan(60 * 60 * 1000);
  await long.save(ref, 'key_1', subscribed);
  expect(await remainingMs()).toBeGreaterThan(60 * 60 * 1000);
});

/** Records that are written in the same millisecond have no order. */
async function tick(): Promise<void> {
  const time = async () => {
    const [seconds, microseconds] = await connection.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  };
  const begun = await time();
  await waitFor(async () => (await time()) > begun, { what: 'the next millisecond', intervalMs: 1 });
}

const fewest = { resumeRecords: 3, resumeBytes: 10_000 };
const counted = () => countResumeRecords(connection, ref.tenantId);

it('of a tenant are bounded in number and in bytes: those written longest ago go first', async () => {
  const few = new ResumeRecords(connection, { lifeMs: LIFE_MS, limits: fewest });
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names.slice(0, 3)) {
    await few.save(named(name), 'key_1', subscribed);
    await tick();
  }
  await few.keep(named('a'));
  await few.save(named('d'), 'key_1', subscribed);
  expect(await known(names)).toEqual(['a', 'c', 'd']);
  expect(await counted()).toMatchObject({ records: 3 });
  await tick();
  await few.save(named('large'), 'key_1', sized(9_600));
  expect(await known([...names, 'large'])).toEqual(['large']);
  await few.delete(named('large'));
  expect(await counted()).toEqual({ records: 0, bytes: 0 });
  expect(await connection.keys('*')).toEqual([]);
});

it('of a tenant follow its own limits from the next write on, and are counted even if a list has expired', async () => {
  for (let count = 0; count < 10; count += 1) {
    await records.save(named(`${count}`), 'key_1', subscribed);
    await tick();
  }
  await records.save(named('gone'), 'key_2', sized(5_000));
  await connection.del(`${keys.ofTenant(ref.tenantId)}resumes:key_2`);
  await connection.hset(keys.tenantLimits(ref.tenantId), { resumeRecords: 4, resumeBytes: 65_536 });
  await records.save(named('last'), 'key_1', subscribed);
  expect(await known(['0', '6', '7', '8', '9', 'last'])).toEqual(['7', '8', '9', 'last']);
  const { records: left, bytes } = await counted();
  expect(left).toBe(4);
  expect(bytes).toBeLessThan(4_000);
});

it('of a tenant are bounded in bytes: the key with most loses its oldest', async () => {
  const limits = { resumeRecords: 1_000, resumeBytes: 30_000 };
  const few = new ResumeRecords(connection, { lifeMs: LIFE_MS, limits });
  await few.save(named('small'), 'key_1', sized(1_000));
  for (let count = 0; count < 100; count += 1) await few.save(named(`${count}`), 'key_2', sized(2_000));
  expect(await known(['small', '0', '99'])).toEqual(['small', '99']);
  const found = await connection.keys('*:resume:*');
  const bytes = await Promise.all(found.map((key) => connection.call('MEMORY', 'USAGE', key)));
  expect(bytes.reduce((sum: number, each) => sum + Number(each), 0)).toBeLessThan(40_000);
});
