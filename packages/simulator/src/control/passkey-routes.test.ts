import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { PasskeyCompanion } from '../testing/passkey-companion.js';
import { SimulatorControl } from './client.js';
import type { RemotePhone } from './remote-phone.js';

const simulator = new Simulator();
let anna: RemotePhone;
let client: Client;
let companion: PasskeyCompanion;

beforeAll(async () => {
  await simulator.start();
  anna = await new SimulatorControl(simulator.url).addPhone({ name: 'Anna' });
});

afterEach(() => client.end());

afterAll(() => simulator.stop());

/** Begins a ceremony. Resolves with what the scan comes to. */
async function scanned(): Promise<{ scan: Promise<unknown> }> {
  client = new Client(simulator);
  companion = new PasskeyCompanion(client);
  const scan = anna.scan(await client.qr()).catch((error: Error) => error);
  await companion.request();
  return { scan };
}

test('a phone demands a passkey, and links a client with it', async () => {
  expect(await anna.passkey()).toEqual({ demanded: false, foreground: true });
  await expect(anna.signPasskey({ challenge: 'AAAA' })).rejects.toMatchObject({ code: 'REFUSED' });
  await anna.demandPasskey({ listsCredential: true });
  expect(await anna.setForeground(false)).toMatchObject({
    demanded: true,
    foreground: false,
    credential: { rpId: 'whatsapp.com', isResidentCredential: true, signCount: 0 },
  });
  const { scan } = await scanned();
  await anna.repeatPasskeyRequest();
  const options = (await anna.passkey()).ceremony?.options ?? expect.fail();
  const wrong = await anna.signPasskey(options, { origin: 'https://example.com' });
  await expect(companion.sendPrologue(wrong)).rejects.toMatchObject({ data: 401 });
  await companion.sendPrologue(await anna.signPasskey(await companion.fetchOptions()));
  const code = await companion.sendNonce();
  expect((await anna.passkey()).ceremony).toEqual({
    stage: 'code-known',
    code,
    shownCode: code,
    notifications: [
      { type: 'passkey_prologue_request', acks: 1 },
      { type: 'passkey_prologue_request', acks: 1 },
      { type: 'crsc_continuation', acks: 1 },
    ],
  });
  await expect(anna.acceptPasskeyCode('11111111')).rejects.toMatchObject({ code: 'WRONG_PASSKEY_CODE' });
  await anna.acceptPasskeyCode(code);
  await companion.sendRequest();
  await companion.logIn();
  expect(await scan).toMatchObject({ jid: client.device.jid });
  await expect(anna.refusePasskey()).rejects.toMatchObject({ code: 'NO_PASSKEY_CEREMONY' });
});

test('a person refuses, and the connection is closed', async () => {
  await anna.demandPasskey();
  const { scan } = await scanned();
  await anna.refusePasskey('socket');
  expect(await scan).toMatchObject({ code: 'REFUSED', details: { reason: 'refused' } });
  expect(await client.closed()).toBe(428);
  expect((await anna.passkey()).ceremony).toMatchObject({ stage: 'failed', failure: expect.any(String) });
  expect(await anna.waivePasskey()).toMatchObject({ demanded: false });
});
