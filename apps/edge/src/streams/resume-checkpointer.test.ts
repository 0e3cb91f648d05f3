import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, type RedisConnection, ResumeRecords } from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ResumeCheckpointer } from './resume-checkpointer.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const LIFE_MS = 60_000;
const SHORTENED_MS = 20_000;

let redis: TestRedis;
let connection: RedisConnection;
let records: ResumeRecords;
let keeper: ResumeCheckpointer;

beforeAll(async () => {
  redis = await startRedis();
  connection = connectRedis({ url: redis.url, role: 'command', name: 'keeper', logger });
  records = new ResumeRecords(connection, { lifeMs: LIFE_MS });
});
afterEach(() => keeper.close());
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

const refOf = (secret: string) => ({ tenantId: 'tnt_test', secret });
const position = (seq: number) => ({ epoch: '1795326841000', seq });

it('keeps the record of a client that is there but does not progress', async () => {
  keeper = new ResumeCheckpointer({ records, logger, keepEveryMs: 0 });
  const ref = refOf('silent');
  await records.create(ref, 'key_1');
  const [key = ''] = await connection.keys('*:resume:*');
  await connection.pexpire(key, SHORTENED_MS);
  await waitFor(
    async () => {
      keeper.keep(ref);
      return (await connection.pttl(key)) > SHORTENED_MS;
    },
    { what: 'it is kept' },
  );
  expect(await records.find(ref)).toEqual({ keyId: 'key_1', subscribed: undefined });
});

it('writes how far a client has got by then, which may be back', async () => {
  keeper = new ResumeCheckpointer({ records, logger });
  const ref = refOf('busy');
  const subscribed = { subscription: '[]', position: position(1), isIntroduced: false };
  await records.save(ref, 'key_1', subscribed);
  const progress = { ref, point: { position: position(9), isIntroduced: true } };
  keeper.note(progress);
  progress.point = { position: position(5), isIntroduced: false };
  await keeper.close();
  expect(await records.find(ref)).toEqual({
    keyId: 'key_1',
    subscribed: { subscription: '[]', position: position(5), isIntroduced: false },
  });
});

it('makes no record for a client that has none', async () => {
  keeper = new ResumeCheckpointer({ records, logger, keepEveryMs: 0 });
  const ref = refOf('gone');
  keeper.note({ ref, point: { position: position(1), isIntroduced: true } });
  await keeper.close();
  expect(await records.find(ref)).toBeUndefined();
});

it('writes the positions of many clients a few in each turn of the event loop', async () => {
  let written = 0;
  class CountedRecords extends ResumeRecords {
    override advance(...args: Parameters<ResumeRecords['advance']>): Promise<void> {
      written += 1;
      return super.advance(...args);
    }
  }
  keeper = new ResumeCheckpointer({ records: new CountedRecords(connection, { lifeMs: LIFE_MS }), logger });
  for (let client = 0; client < 100; client += 1) {
    keeper.note({ ref: refOf(`${client}`), point: { position: position(1), isIntroduced: true } });
  }
  const closed = keeper.close();
  for (let before = 0; written < 100; before = written) {
    expect(written - before).toBeLessThanOrEqual(25);
    await turnOfEventLoop();
  }
  await closed;
});
