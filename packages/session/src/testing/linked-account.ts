import { afterAll } from 'vitest';
import { Harness } from './harness.js';

/**
 * An account that is linked, and a person who writes to it. Await it at the top of a test file. Everything is stopped
 * after the tests of the file.
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
