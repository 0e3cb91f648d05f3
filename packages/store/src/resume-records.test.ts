import { createLogger } from '@wafleet/runtime';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from './connection.js';
import { ResumeRecords } from './resume-records.js';

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
  const [key = ''] = await connection.keys('*');
  return connection.pttl(key);
}

async function shorten(): Promise<void> {
  const [key = ''] = await connection.keys('*');
  await connection.pexpire(key, SHORTENED_MS);
}

it('tell a client that has not subscribed from one of which nothing is known', async () => {
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
