import { afterAll, beforeAll } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from './client.js';

/**
 * Gives the tests of a file a simulator with the phones of the recorded events, under the recorded numbers: Alice and
 * two others. The client is linked to Alice's phone.
 */
export function useLinkedClient() {
  const simulator = new Simulator();
  const alice = simulator.addPhone({ name: 'Alice', number: '15550001001' });
  const carl = simulator.addPhone({ name: 'Carl', number: '15551230001' });
  const dora = simulator.addPhone({ name: 'Dora', number: '15551230002' });
  const client = new Client(simulator);

  beforeAll(async () => {
    await simulator.start();
    await client.link(alice);
  });
  afterAll(async () => {
    await client.end();
    await simulator.stop();
  });
  return { simulator, client, alice, carl, dora };
}
