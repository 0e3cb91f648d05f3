import { afterAll, afterEach, beforeAll } from 'vitest';
import type { PasskeyDemand } from '../passkey/demand.js';
import { Simulator } from '../simulator.js';
import { Client } from './client.js';
import { PasskeyCompanion } from './passkey-companion.js';

/** For all simulators of a process, since clients trust one key at a time. */
export const rootKey = '22'.repeat(32);

/** Gives the tests of a file a simulator, and companions that are to be linked by passkey. */
export function usePasskeyLinks() {
  const simulator = new Simulator({ rootKey });
  const clients: Client[] = [];
  beforeAll(() => simulator.start());
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end();
  });
  afterAll(() => simulator.stop());

  /** A client that shows its QR code. */
  const unlinked = async (server = simulator) => {
    const client = new Client(server);
    clients.push(client);
    const companion = new PasskeyCompanion(client);
    return { client, companion, qr: await client.qr() };
  };

  /** A phone that demands a passkey, and a client that shows its QR code. */
  const demanding = async (demand: PasskeyDemand = {}, server = simulator) => {
    const anna = server.addPhone({ name: 'Anna' });
    anna.demandPasskey(demand);
    return { anna, ...(await unlinked(server)) };
  };

  /** The same once the phone has scanned the code. `scan` resolves with the device or the error. */
  const scanned = async (demand?: PasskeyDemand, server?: Simulator) => {
    const parts = await demanding(demand, server);
    const scan = parts.anna.scan(parts.qr).catch((error: Error) => error);
    const { passkey } = parts.anna;
    if (!passkey) throw new Error('the account has no passkey');
    await parts.companion.request();
    return { ...parts, scan, passkey };
  };

  /** The same once the phone has continued. */
  const signed = async (demand?: PasskeyDemand) => {
    const parts = await scanned(demand);
    await parts.companion.sendPrologue(parts.passkey.sign(await parts.companion.options()));
    await parts.companion.continuation();
    return parts;
  };

  return { simulator, unlinked, demanding, scanned, signed };
}

/** The code with which WhatsApp refuses a request. Undefined if it does not. */
export async function refusal(request: Promise<unknown>): Promise<unknown> {
  try {
    await request;
    return undefined;
  } catch (error) {
    return error instanceof Error && 'data' in error ? error.data : error;
  }
}
