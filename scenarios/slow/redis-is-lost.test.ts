import { afterEach, test } from 'vitest';
import { RedisOutage } from '../support/redis-outage.js';

/** Redis is killed for longer than a worker's lease lives, and for longer than connections are kept. */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 20);

let outage: RedisOutage | undefined;

afterEach(() => outage?.end());

test('an outage of 20 s lets every lease run out; the sockets stay, and so do the sessions', async () => {
  outage = await RedisOutage.prepare(SESSIONS);
  await outage.of(20_000, { keepsSockets: true });
});

test('after an outage of 60 s the sessions connect anew where they were', async () => {
  outage = await RedisOutage.prepare(SESSIONS);
  await outage.of(60_000, { keepsSockets: false });
});
