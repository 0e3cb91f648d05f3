import { expect, test } from 'vitest';
import { report } from './support/report.js';
import { whatsappOutage } from './support/whatsapp-outage.js';

/** WhatsApp is down for a moment. scenarios/slow has the three minutes. */
test('after an outage of WhatsApp every session comes back by itself, under the configured rate', async () => {
  const aftermath = await whatsappOutage({ sessions: 8, downMs: 8_000, connectsPerSecond: 2 });
  report('whatsapp-is-down', aftermath.figures);
  expect(aftermath).toMatchObject({ linkedAnew: [], qrCodes: 0, excess: 0 });
});
