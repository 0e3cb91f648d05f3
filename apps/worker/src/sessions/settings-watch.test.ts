import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import {
  Cipher,
  connectRedis,
  type RedisConnection,
  SessionDirectory,
  SessionSettingsRecords,
  SessionSettingsStore,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Noticing, SettingsWatch } from './settings-watch.js';

const logger = createLogger({ app: 'worker-test', level: 'silent' });
const cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
let server: TestRedis;
let redis: RedisConnection;
let tenantId: string;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

/** Sessions that note the versions that they learn of. */
async function sessions(prefix: string, count: number): Promise<(Noticing & { seen: number[] })[]> {
  const directory = new SessionDirectory(redis);
  const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await Promise.all(ids.map((sessionId) => directory.create({ tenantId, sessionId })));
  return ids.map((sessionId) => {
    const seen: number[] = [];
    const noticeSettings = async (version: number) => {
      seen.push(version);
    };
    return { fence: { tenantId, sessionId }, session: { noticeSettings }, seen };
  });
}

const watch = () => new SettingsWatch({ store: new SessionSettingsStore({ redis, cipher }), logger });

test('each session learns its version once in ten looks', async () => {
  const all = await sessions('many', 20);
  const [first] = all;
  if (first === undefined) throw new Error('there is none');
  await new SessionSettingsRecords(redis).replace(first.fence, 0, { plain: { metadata: { shop: '17' } } });
  const watching = watch();
  for (let look = 0; look < 10; look += 1) await watching.look(() => all);
  expect(all.map(({ seen }) => seen)).toEqual([[1], ...Array.from({ length: 19 }, () => [0])]);
});

test('a session whose settings cannot be read holds no other one back', async () => {
  const all = await sessions('damaged', 2);
  await redis.set(`wf:{${tenantId}}:settings:damaged-0`, 'damaged');
  const refusing: Noticing = {
    fence: { tenantId, sessionId: 'damaged-0' },
    session: { noticeSettings: () => Promise.reject(new Error('it cannot be read')) },
  };
  const watching = watch();
  for (let look = 0; look < 3; look += 1) await watching.look(() => [refusing, ...all]);
  expect(all.map(({ seen }) => seen)).toEqual([[-1], [0]]);
});
