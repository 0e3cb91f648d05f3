import { afterEach, test } from 'vitest';
import { RedisOutage } from '../support/redis-outage.js';

/** Redis is killed for longer than a worker's lease, and for longer than workers keep their connections. */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 20);

let outage: RedisOutage | undefined;

afterEach(() => outage?.end());

test('in an outage of 20 s every lease expires, but the sockets and the sessions stay', async () => {
  outage = await RedisOutage.prepare(SESSIONS);
  await outage.of(20_000, { keepsSockets: true });
});

test('after an outage of 60 s the sessions connect again on the same workers', async () => {
  outage = await RedisOutage.prepare(SESSIONS);
  await outage.of(60_000, { keepsSockets: false });
});
