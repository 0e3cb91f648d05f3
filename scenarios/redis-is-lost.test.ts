import { afterEach, test } from 'vitest';
import { RedisOutage } from './support/redis-outage.js';

/** Redis is killed for a few seconds under traffic. The connections to WhatsApp stay open, and nothing is lost. */
let outage: RedisOutage | undefined;

afterEach(() => outage?.end());

test('an outage of 5 s costs neither an event nor a connection', async () => {
  outage = await RedisOutage.prepare(Number(process.env.SCENARIO_SESSIONS ?? 6));
  await outage.of(5_000, { keepsSockets: true });
});
