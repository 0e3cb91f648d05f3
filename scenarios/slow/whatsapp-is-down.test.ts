import { expect, test } from 'vitest';
import { report } from '../support/report.js';
import { whatsappOutage } from '../support/whatsapp-outage.js';

/** Fifty sessions are enough that without the rate limit they would all connect at the same time. */
test('after three minutes without WhatsApp fifty sessions come back by themselves, under the configured rate', async () => {
  const aftermath = await whatsappOutage({ sessions: 50, downMs: 180_000, connectsPerSecond: 3 });
  report('whatsapp-is-down (3 minutes)', aftermath.figures);
  expect(aftermath).toMatchObject({ linkedAnew: [], qrCodes: 0, excess: 0 });
});
