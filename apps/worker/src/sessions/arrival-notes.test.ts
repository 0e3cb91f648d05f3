import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  type Fence,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArrivalNotes } from './arrival-notes.js';

const MINUTE_MS = 60_000;
const logger = createLogger({ app: 'worker-test', level: 'silent' });
let server: TestRedis;
let redis: RedisConnection;
let directory: SessionDirectory;
let tenantId: string;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  directory = new SessionDirectory(redis);
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

async function owned(sessionId: string): Promise<Fence> {
  await directory.create({ tenantId, sessionId });
  const claim = await new Ownership(redis).claim({ tenantId, sessionId }, { worker: 'wrk_a' });
  return 'fence' in claim ? claim.fence : expect.fail('not claimed');
}

test('a session is noted at most once a minute, and only if something came', async () => {
  const fence = await owned('busy');
  const session = { lastStanzaAt: 0, lastMessageAt: 0 };
  let now = 10 * MINUTE_MS;
  const notes = new ArrivalNotes(redis, logger, () => now);
  const receiver = { fence, session };
  const noted = async () => {
    await notes.write([receiver]);
    return (await directory.get(fence))?.lastStanzaAt;
  };
  expect(await noted()).toBeUndefined();
  session.lastStanzaAt = 1_000;
  expect(await noted()).toBe(1_000);
  session.lastStanzaAt = 2_000;
  now += MINUTE_MS - 1;
  expect(await noted()).toBe(1_000);
  now += 1;
  expect(await noted()).toBe(2_000);
  // Nothing came since: the stored value stays unchanged.
  await redis.hset(`wf:{${tenantId}}:session:busy`, 'lastStanzaAt', 5);
  now += MINUTE_MS;
  expect(await noted()).toBe(5);
});

test('what could not be written is written the next time', async () => {
  const fence = await owned('again');
  const receiver = { fence, session: { lastStanzaAt: 1_000, lastMessageAt: 900 } };
  const notes = new ArrivalNotes(redis, logger);
  await redis.config('SET', 'maxmemory', '1');
  await notes.write([receiver]);
  expect((await directory.get(fence))?.lastStanzaAt).toBeUndefined();
  await redis.config('SET', 'maxmemory', '0');
  await notes.write([receiver]);
  expect(await directory.get(fence)).toMatchObject({ lastStanzaAt: 1_000, lastMessageAt: 900 });
});
