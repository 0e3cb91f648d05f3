import { afterAll } from 'vitest';
import { Harness } from './harness.js';

/**
 * An account that is linked, and a person who writes to it. To be awaited at the top of a test file, after whose tests
 * everything is stopped.
 */
export async function linkedAccount() {
  const harness = await Harness.start();
  afterAll(() => harness.stop());
  const anna = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const test = await harness.newSession();
  await test.link(anna);
  return { harness, anna, carl, test };
}
