import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import type { PrologueFlaws, RequestFlaws } from '../testing/passkey-companion.js';
import { refusal, usePasskeyLinks } from '../testing/passkey-links.js';
import { until } from '../testing/until.js';
import type { AssertionFlaws } from './passkey.js';
import { leaf } from './stanzas.js';

const { simulator, unlinked, scanned, signed } = usePasskeyLinks();

test('without a demand, everything is refused with 405', async () => {
  const { companion, client } = await unlinked();
  const wishes = [
    companion.fetchRef(),
    companion.fetchOptions(),
    companion.query('set', { tag: 'passkey_prologue', attrs: {} }),
    companion.query('set', leaf('companion_nonce', randomBytes(32))),
    companion.query('set', leaf('encrypted_pairing_request', randomBytes(32))),
  ];
  for (const wish of wishes) expect(await refusal(wish)).toBe(405);
  expect(client.closeCodes).toEqual([]);
});

describe('an assertion', () => {
  const assertionFlaws: [number, string, AssertionFlaws][] = [
    [401, 'the origin', { origin: 'https://web.whatsapp.com.example.com' }],
    [401, 'the rpId', { rpId: 'example.com' }],
    [401, 'the key', { wrongKey: true }],
    [401, 'the user', { userHandle: 'wrong' }],
    [401, 'the verification of the user', { userVerified: false }],
    [404, 'the credential', { wrongCredential: true }],
    [410, 'the challenge', { challenge: randomBytes(32).toString('base64url') }],
  ];
  const prologueFlaws: [number, string, PrologueFlaws][] = [
    [400, 'the credential id is missing', { without: 'credential_id' }],
    [400, 'the assertion is missing', { without: 'webauthn_assertion' }],
    [400, 'the payload is missing', { without: 'prologue_payload' }],
    [400, 'the assertion is not JSON', { assertion: Buffer.from('{') }],
    [400, 'the assertion is long', { assertion: Buffer.alloc(8193, ' ') }],
    [400, 'the payload is not a message', { payload: Buffer.of(0xff) }],
    [
      400,
      'the payload is empty inside',
      { payload: proto.ProloguePayload.encode({ commitment: {} }).finish() },
    ],
    [400, 'the key is short', { publicKey: randomBytes(31) }],
    [400, 'the proof is short', { proof: 'short' }],
    [400, 'the device type is another', { deviceType: proto.DeviceProps.PlatformType.FIREFOX }],
    [404, 'the credential id is another', { credentialId: randomBytes(20) }],
    [404, 'the ref is unknown', { ref: 'unknown' }],
  ];

  test('is refused if anything of it is wrong; a new challenge makes up for it', async () => {
    const { companion, passkey, scan, anna } = await scanned();
    let options = await companion.options();
    for (const [code, what, flaws] of assertionFlaws) {
      expect([what, await refusal(companion.sendPrologue(passkey.sign(options, flaws)))]).toEqual([
        what,
        code,
      ]);
      options = await companion.fetchOptions();
    }
    for (const [code, what, flaws] of prologueFlaws) {
      expect([what, await refusal(companion.sendPrologue(passkey.sign(options), flaws))]).toEqual([
        what,
        code,
      ]);
      options = await companion.fetchOptions();
    }
    expect(anna.passkeyCeremony?.stage).toBe('requested');
    await companion.sendPrologue(passkey.sign(options));
    await companion.sendNonce();
    await companion.sendRequest();
    await companion.logIn();
    expect(await scan).toMatchObject({ phone: anna });
  });

  test('uses up its challenge, whether it is right or wrong', async () => {
    const { companion, passkey } = await scanned();
    const options = await companion.options();
    expect(await refusal(companion.sendPrologue(passkey.sign(options, { wrongKey: true })))).toBe(401);
    expect(await refusal(companion.sendPrologue(passkey.sign(options)))).toBe(410);
  });

  test('of a replaced challenge is refused with 410', async () => {
    const { anna, companion, passkey } = await scanned();
    const first = await companion.options();
    anna.repeatPasskeyRequest();
    await until('the second request', () => companion.requestCount === 2);
    const second = await companion.options();
    const third = await companion.fetchOptions();
    for (const options of [first, second]) {
      expect(await refusal(companion.sendPrologue(passkey.sign(options)))).toBe(410);
    }
    await companion.sendPrologue(passkey.sign(third));
  });

  test('of an expired challenge is refused with 410', async () => {
    const { companion, passkey } = await scanned({ challengeTtlMs: 1 });
    const options = await companion.options();
    expect(options).toMatchObject({ timeout: 1 });
    expect(await refusal(companion.sendPrologue(passkey.sign(options)))).toBe(410);
  });

  test('with the challenge or ref of another connection is refused', async () => {
    const one = await scanned();
    const other = await scanned();
    const foreign = await other.companion.options();
    expect(await refusal(one.companion.sendPrologue(one.passkey.sign(foreign)))).toBe(410);
    const ref = await other.companion.fetchRef();
    const options = await one.companion.options();
    expect(await refusal(one.companion.sendPrologue(one.passkey.sign(options), { ref }))).toBe(404);
  });

  test('of an account without a passkey is refused with 404', async () => {
    const other = await scanned();
    const { companion, anna } = await scanned();
    anna.demandPasskey({ hasPasskey: false });
    expect(anna.passkey).toBeUndefined();
    expect(await refusal(companion.sendPrologue(other.passkey.sign(await companion.options())))).toBe(404);
  });

  test('is refused by a fault', async () => {
    const { companion, passkey } = await scanned();
    simulator.refuseRequests('passkey_prologue', 429);
    expect(await refusal(companion.sendPrologue(passkey.sign(await companion.options())))).toBe(429);
    simulator.resume();
    await companion.sendPrologue(passkey.sign(await companion.options()));
  });
});

test('an answer that is withheld comes at `resume`, after later ones, and its request is handled before', async () => {
  const { companion, passkey, anna } = await scanned({ continueAfterMs: 'never' });
  const options = await companion.options();
  simulator.withholdAnswers('passkey_prologue');
  let isAnswered = false;
  const answered = companion.sendPrologue(passkey.sign(options)).then(() => {
    isAnswered = true;
  });
  await until('the prologue is handled', () => anna.passkeyCeremony?.stage === 'signed');
  await companion.fetchRef();
  expect(isAnswered).toBe(false);
  expect(simulator.withheldCount).toBe(1);
  simulator.resume();
  await answered;
});

describe('what follows the assertion', () => {
  test('is refused with 409 when it is out of order', async () => {
    const { companion, passkey } = await scanned({ continueAfterMs: 'never' });
    const nonce = leaf('companion_nonce', companion.nonce);
    expect(await refusal(companion.query('set', nonce))).toBe(409);
    const assertion = passkey.sign(await companion.options());
    await companion.sendPrologue(assertion);
    expect(await refusal(companion.query('set', nonce))).toBe(409);
    expect(await refusal(companion.sendPrologue(assertion))).toBe(409);
    expect(companion.hasContinuation).toBe(false);
  });

  test('is refused with 409 when it is early or repeated', async () => {
    const { companion } = await signed({ handoffTtlMs: 0 });
    expect(await refusal(companion.sendRequest())).toBe(409);
    await companion.sendNonce();
    expect(await refusal(companion.sendNonce())).toBe(409);
    await companion.sendRequest();
    expect(await refusal(companion.sendRequest())).toBe(409);
  });

  test('is refused with 400 when its form is wrong', async () => {
    const { companion } = await signed();
    expect(await refusal(companion.query('set', leaf('companion_nonce', randomBytes(31))))).toBe(400);
    await companion.sendNonce();
    expect(await refusal(companion.sendRequest({ iv: randomBytes(11) }))).toBe(400);
    const request = leaf('encrypted_pairing_request', Buffer.of(0xff));
    expect(await refusal(companion.query('set', request))).toBe(400);
  });

  test('is refused with 406 if the nonce is another; this ends the ceremony', async () => {
    const { anna, companion, scan } = await signed();
    expect(await refusal(companion.sendNonce(randomBytes(32)))).toBe(406);
    expect(await scan).toMatchObject({ reason: 'commitment-wrong' });
    expect(await refusal(companion.sendNonce())).toBe(405);
    expect(await refusal(companion.fetchOptions())).toBe(405);
    expect(anna.passkeyCeremony).toMatchObject({ stage: 'failed', code: undefined });
  });

  const requestFlaws: [string, string, RequestFlaws | 'the old secret'][] = [
    ['request-wrong', 'the noise key', { noiseKey: randomBytes(32) }],
    ['request-wrong', 'the identity key', { identityKey: randomBytes(32) }],
    ['request-wrong', 'the encryption', { key: randomBytes(32) }],
    ['request-wrong', 'the length of the secret', { newSecret: randomBytes(16) }],
    ['secret-reused', 'the secret', 'the old secret'],
  ];

  test.each(requestFlaws)('fails on the phone alone (%s) if %s is wrong', async (reason, _what, flaws) => {
    const { anna, companion, client, scan } = await signed();
    await companion.sendNonce();
    await companion.sendRequest(flaws === 'the old secret' ? { newSecret: companion.secretBefore } : flaws);
    expect(await scan).toMatchObject({ name: 'PasskeyCeremonyError', reason });
    expect(anna.devices.size).toBe(0);
    expect(client.closeCodes).toEqual([]);
  });

  test('fails if the client refuses pair-success', async () => {
    const { companion, scan } = await signed();
    await companion.sendNonce();
    await companion.sendRequest({ keepsSecret: true });
    expect(String(await scan)).toMatch(/client (refused|closed)/);
  });
});
