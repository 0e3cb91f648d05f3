import { describe, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { rootKey, usePasskeyLinks } from '../testing/passkey-links.js';
import { until } from '../testing/until.js';
import { NoPasskeyCeremonyError, WrongPasskeyCodeError } from './ceremony-error.js';

const { simulator, demanding, scanned } = usePasskeyLinks();

describe('a client that is linked by passkey', () => {
  test('after a scan, without a comparison of codes', async () => {
    const { anna, client, companion, scan, passkey } = await scanned();
    const options = await companion.options();
    expect(options).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 600_000,
      rpId: 'whatsapp.com',
      allowCredentials: [],
      userVerification: 'required',
      extensions: { uvm: true },
    });
    await companion.sendPrologue(passkey.sign(options));
    const code = await companion.sendNonce();
    expect(anna.passkeyCeremony).toMatchObject({ code, isHandedOff: true, stage: 'code-known' });
    expect(anna.passkeyCode).toBeUndefined();
    await companion.sendRequest();
    await companion.logIn();
    expect(await scan).toBe(client.device);
    expect(anna.passkeyCeremony?.stage).toBe('linked');
    expect(anna.passkeyCeremony?.notifications).toEqual([
      { type: 'passkey_prologue_request', acks: 1 },
      { type: 'crsc_continuation', acks: 1 },
    ]);
    await simulator.addPhone({ name: 'Carl' }).send(anna, 'hi');
    await client.text('hi');
  });

  test('after a pairing code', async () => {
    const { anna, client, companion } = await demanding();
    const entered = anna.enterCode(await client.sock.requestPairingCode(anna.number));
    const options = await companion.options();
    await companion.sendPrologue(anna.passkey?.sign(options) ?? expect.fail());
    await companion.sendNonce();
    await companion.sendRequest();
    await companion.logIn();
    expect(await entered).toBe(client.device);
    expect(client.auth.creds.registered).toBe(true);
    expect(anna.passkeyCeremony?.notifications.map(({ acks }) => acks)).toEqual([1, 1]);
  });

  test('once the person has compared the codes, before or after the request', async () => {
    for (const isAcceptedFirst of [true, false]) {
      const { anna, companion, scan, passkey } = await scanned();
      anna.isForeground = false;
      await companion.sendPrologue(passkey.sign(await companion.options()));
      const code = await companion.sendNonce();
      expect(anna.passkeyCode).toBe(code);
      await expect(anna.acceptPasskeyCode('AAAA-AAAA')).rejects.toThrow(WrongPasskeyCodeError);
      if (isAcceptedFirst) await anna.acceptPasskeyCode(code);
      await companion.sendRequest();
      if (!isAcceptedFirst) {
        expect(anna.passkeyCeremony?.stage).toBe('sealed');
        await anna.acceptPasskeyCode(code.replace('-', '').toLowerCase());
      }
      await companion.logIn();
      expect(await scan).toMatchObject({ phone: anna });
      expect(() => anna.refusePasskey()).toThrow(NoPasskeyCeremonyError);
    }
  });

  test('after its QR codes have expired', async () => {
    const hasty = new Simulator({ rootKey, qrTtlMs: 500 });
    await hasty.start();
    const { anna, client, companion, scan, passkey } = await scanned({}, hasty);
    const registering = anna.passkeyCeremony?.client ?? expect.fail();
    await until('the end of all QR codes', () =>
      [...registering.refs].every((ref) => !registering.isRefValid(ref)),
    );
    void registering.refresh();
    await companion.sendPrologue(passkey.sign(await companion.options()));
    await companion.sendNonce();
    await companion.sendRequest();
    await companion.logIn();
    expect(await scan).toBe(client.device);
    await client.end();
    await hasty.stop();
  });
});
