import { describe, expect, test } from 'vitest';
import { usePasskeyLinks } from '../testing/passkey-links.js';
import { until } from '../testing/until.js';
import { NoPasskeyCeremonyError } from './ceremony-error.js';
import type { PasskeyDemand } from './demand.js';

const { simulator, unlinked, demanding, scanned, signed } = usePasskeyLinks();

describe('the code must be compared', () => {
  test.each(['none', 'wrong'] as const)('if the handoff proof is: %s', async (proof) => {
    const { anna, companion, passkey, scan } = await scanned();
    await companion.sendPrologue(passkey.sign(await companion.options()), { proof });
    const code = await companion.sendNonce();
    await companion.sendRequest();
    expect(anna.passkeyCode).toBe(code);
    expect(anna.devices.size).toBe(0);
    await anna.acceptPasskeyCode(code);
    await companion.logIn();
    expect(await scan).toMatchObject({ phone: anna });
  });

  test('if the handoff proof is late', async () => {
    const { anna, companion } = await signed({ handoffTtlMs: 0 });
    expect(anna.passkeyCode).toBeUndefined();
    const code = await companion.sendNonce();
    expect(anna.passkeyCode).toBe(code);
    expect(anna.passkeyCeremony).toMatchObject({ isHandedOff: false, code });
  });

  test('and is awaited by the person', async () => {
    const { anna, companion } = await signed({ handoffTtlMs: 0 });
    const early = anna.acceptPasskeyCode('1111-1111').catch((error: Error) => error.name);
    await companion.sendNonce();
    expect(await early).toBe('WrongPasskeyCodeError');
  });

  test('but not longer than the person has patience', async () => {
    const { anna } = await scanned();
    const { passkeyCeremony } = anna;
    await expect(passkeyCeremony?.accept('1111-1111', 10)).rejects.toThrow(NoPasskeyCeremonyError);
  });
});

describe('a request', () => {
  test.each(['absent', 'unreadable'] as const)(
    'with options that are %s makes the client fetch them',
    async (requestOptions) => {
      const { anna, companion, passkey } = await scanned({ requestOptions });
      await expect(companion.options()).rejects.toThrow();
      await companion.sendPrologue(passkey.sign(await companion.fetchOptions()));
      expect(anna.passkeyCeremony?.stage).not.toBe('requested');
    },
  );

  test('can list the credential, and carry what clients ignore', async () => {
    const { companion, passkey } = await scanned({ listsCredential: true, dbscRegistration: true });
    const options = await companion.options();
    expect(options).toMatchObject({
      allowCredentials: [{ id: passkey.credentialId.toString('base64url'), type: 'public-key' }],
    });
    const { content } = await companion.request();
    expect(content).toMatchObject([{ tag: 'passkey_request_options' }, { tag: 'dbsc_registration' }]);
    await companion.sendPrologue(passkey.sign(options, { userHandle: null }));
  });

  test('that is not acknowledged is recorded as such', async () => {
    const { anna, client, companion, qr } = await demanding();
    companion.acknowledges = false;
    const scan = anna.scan(qr).catch(() => undefined);
    await companion.request();
    await companion.fetchRef();
    expect(anna.passkeyCeremony?.notifications).toEqual([{ type: 'passkey_prologue_request', acks: 0 }]);
    await client.end();
    await scan;
  });
});

describe('a phone', () => {
  test('is slow', async () => {
    const { companion, passkey } = await scanned({ continueAfterMs: 500 });
    await companion.sendPrologue(passkey.sign(await companion.options()));
    expect(companion.hasContinuation).toBe(false);
    await companion.sendNonce();
  });

  test('sends a nonce of a wrong length', async () => {
    const { companion } = await signed({ primaryNonceLength: 31 });
    expect((await companion.continuation()).nonce).toHaveLength(31);
  });

  const demands: [string, PasskeyDemand][] = [
    ['before the assertion', {}],
    ['before it continues', { continueAfterMs: 'never' }],
  ];
  test.each(demands)('is refused %s, and the client learns nothing', async (when, demand) => {
    const { anna, client, companion, passkey, scan } = await scanned(demand);
    const assertion = passkey.sign(await companion.options());
    if (when === 'before it continues') await companion.sendPrologue(assertion);
    anna.refusePasskey();
    expect(await scan).toMatchObject({ reason: 'refused' });
    if (when === 'before the assertion') await companion.sendPrologue(assertion);
    await companion.fetchRef();
    expect(companion.hasContinuation).toBe(false);
    expect(client.closeCodes).toEqual([]);
    await expect(anna.acceptPasskeyCode('1111-1111')).rejects.toThrow(NoPasskeyCeremonyError);
    expect(() => anna.repeatPasskeyRequest()).toThrow(NoPasskeyCeremonyError);
  });

  test('is refused while it shows the code, after the client has confirmed', async () => {
    const { anna, companion, scan } = await signed({ handoffTtlMs: 0 });
    const code = await companion.sendNonce();
    await companion.sendRequest();
    const accepted = anna.acceptPasskeyCode(code);
    anna.refusePasskey();
    await accepted.catch(() => undefined);
    expect(await scan).toMatchObject({ reason: 'refused' });
    expect(anna.passkeyCode).toBeUndefined();
    expect(anna.devices.size).toBe(0);
  });

  test('is refused, and the connection is closed', async () => {
    const { anna, client, scan } = await scanned();
    anna.refusePasskey({ code: 503 });
    expect(await client.closed()).toBe(503);
    expect(await scan).toMatchObject({ reason: 'refused' });
  });
});

describe('an abandoned ceremony', () => {
  test('leaves the client to an ordinary scan on its next connection', async () => {
    const { anna, client, scan } = await signed();
    await client.end();
    expect(await scan).toMatchObject({ reason: 'disconnected' });
    anna.waivePasskey();
    expect(anna.demandsPasskey).toBe(false);
    await client.link(anna);
    expect(client.device.isOnline).toBe(true);
  });

  test('leaves the client to an ordinary scan on the same connection', async () => {
    const { anna, client, companion, qr, scan } = await signed();
    const carl = simulator.addPhone({ name: 'Carl' });
    const device = carl.scan(qr);
    expect(await scan).toMatchObject({ reason: 'replaced' });
    await companion.logIn();
    expect(await device).toBe(client.device);
    expect(anna.devices.size).toBe(0);
  });

  test('ends when its phone scans the code of another client', async () => {
    const { anna, companion, scan } = await scanned();
    const other = await unlinked();
    const second = anna.scan(other.qr);
    expect(await scan).toMatchObject({ reason: 'replaced' });
    const passkey = anna.passkey ?? expect.fail();
    await companion.sendPrologue(passkey.sign(await companion.options()));
    await other.companion.sendPrologue(passkey.sign(await other.companion.options()));
    await other.companion.sendNonce();
    await other.companion.sendRequest();
    await other.companion.logIn();
    expect(await second).toBe(other.client.device);
    expect(companion.hasContinuation).toBe(false);
  });

  test('begins again when the same code is scanned again', async () => {
    const { anna, client, companion, qr, scan, passkey } = await scanned();
    const again = anna.scan(qr);
    expect(await scan).toMatchObject({ reason: 'replaced' });
    await until('the second request', () => companion.requestCount === 2);
    await companion.sendPrologue(passkey.sign(await companion.options()));
    await companion.sendNonce();
    await companion.sendRequest();
    await companion.logIn();
    expect(await again).toBe(client.device);
  });
});
