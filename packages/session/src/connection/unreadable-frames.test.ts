import { createLogger } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { Harness } from '../testing/harness.js';

test('a frame that cannot be read is logged, and the session continues', async () => {
  const harness = await Harness.start();
  onTestFinished(() => harness.stop());
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const logger = createLogger({ app: 'test', level: 'warn', destination });
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const first = await harness.newSession();
  await first.link(phone);
  await first.session.stop({ reason: 'test' });
  const session = await harness.takeOver(first.fence, first.fence.worker, {}, { logger });
  await session.session.start();
  await session.status('open');
  const [device] = phone.devices.values();
  // Baileys cannot decode a JID without a server.
  device?.send({ tag: 'notification', attrs: { from: 'missing@' } });
  await waitFor(() => lines.some((line) => line.includes('a frame from WhatsApp could not be read')), {
    what: 'the line',
  });
  await carl.send(phone, 'the next one');
  await session.event('messages.upsert', 'the next one');
  expect(session.ends).toEqual([]);
});
