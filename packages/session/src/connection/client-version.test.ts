import { createLogger } from '@wafleet/runtime';
import { ConnectRate, connectRedis, type RedisConnection } from '@wafleet/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { baileysVersion } from '../baileys/client-version.js';
import { Harness } from '../testing/harness.js';
import { ConnectLimiter } from './connect-limiter.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const VERSION = '2.3000.1052000000';

let harness: Harness;
let redis: RedisConnection;

beforeAll(async () => {
  harness = await Harness.start();
  redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
});

afterAll(async () => {
  redis?.disconnect();
  await harness?.stop();
});

test('a session reports the version of its permit when it is linked, and when it logs in', async () => {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const rate = new ConnectRate(redis, { perSecond: 100, clientVersion: VERSION });
  const { fence } = await harness.newSession();
  const connectLimiter = new ConnectLimiter({ rate, logger });
  const session = await harness.takeOver(fence, fence.worker, {}, { connectLimiter });
  await session.session.start();
  const { payload } = await session.event('auth.qr');
  const device = await phone.scan(String(payload.qr));
  expect(device.clientVersion).toBe(VERSION);
  device.clientVersion = undefined;
  await session.status('open');
  expect(device.clientVersion).toBe(VERSION);
});

test.each(['', '2.3000', '2.3000.x', '2.3000.1.1', '2.3000.1e999'])(
  '"%s" is not a version of the client',
  (version) => {
    expect(() => baileysVersion(version)).toThrow(TypeError);
  },
);
