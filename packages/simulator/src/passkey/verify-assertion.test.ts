import { createPrivateKey, createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { AccountPasskey } from './account-passkey.js';
import { type AssertionFlaws, type AssertionJson, Passkey } from './passkey.js';
import { readAssertion, verifyAssertion } from './verify-assertion.js';

const account = new AccountPasskey();
account.require({});
const passkey = account.passkey ?? expect.fail();
const credential = account.credential ?? expect.fail();
const options = { challenge: 'FC6vcJgP-Ov_66yfWgoh1w8m_trR92BnFDhg-e5JEwk', rpId: 'whatsapp.com' };

const read = (assertion: object) => readAssertion(Buffer.from(JSON.stringify(assertion)));

function verify(assertion: AssertionJson, { isListed = false, stored = credential } = {}): void {
  const credentialId = Buffer.from(assertion.rawId, 'base64url');
  verifyAssertion(read(assertion), { credential: stored, credentialId, isListed });
}

/** The code of the error that this throws. */
function refusal(task: () => void): unknown {
  try {
    task();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

test('an assertion of the account', () => {
  verify(passkey.sign(options));
  const { clientData } = read(passkey.sign(options));
  expect(clientData).toEqual({
    type: 'webauthn.get',
    challenge: options.challenge,
    origin: 'https://web.whatsapp.com',
    crossOrigin: false,
  });
});

test('keys that browsers add are ignored', () => {
  const assertion = {
    ...passkey.sign(options),
    clientExtensionResults: {},
    authenticatorAttachment: 'platform',
  };
  verify(assertion);
});

const flaws: [string, AssertionFlaws][] = [
  ['origin', { origin: 'https://example.com' }],
  ['rpId', { rpId: 'web.whatsapp.com' }],
  ['type', { type: 'webauthn.create' }],
  ['key', { wrongKey: true }],
  ['presence', { userPresent: false }],
  ['verification', { userVerified: false }],
  ['user', { userHandle: 'wrong' }],
  ['missing user', { userHandle: null }],
];

test.each(flaws)('a wrong %s is refused with 401', (_name, flaw) => {
  expect(refusal(() => verify(passkey.sign(options, flaw)))).toBe(401);
});

test('a credential of another account is refused with 404', () => {
  expect(refusal(() => verify(new Passkey().sign(options)))).toBe(404);
  expect(refusal(() => verify(passkey.sign(options, { wrongCredential: true })))).toBe(404);
});

test('bytes that are not a signature are refused with 401', () => {
  const { response, ...rest } = passkey.sign(options);
  expect(refusal(() => verify({ ...rest, response: { ...response, signature: 'AAAA' } }))).toBe(401);
});

test('an id that differs from rawId is refused with 401', () => {
  expect(refusal(() => verify({ ...passkey.sign(options), id: 'AAAA' }))).toBe(401);
});

test('the user can be left out if the options listed the credential', () => {
  verify(passkey.sign(options, { userHandle: null }), { isListed: true });
  expect(refusal(() => verify(passkey.sign(options, { userHandle: 'wrong' }), { isListed: true }))).toBe(401);
});

test('a counter must grow unless it is 0', () => {
  const { credentialId, userHandle, publicKey } = passkey;
  const stored = { credentialId, userHandle, publicKey, signCount: 0 };
  verify(passkey.sign(options, { signCount: 5 }), { stored });
  expect(refusal(() => verify(passkey.sign(options, { signCount: 5 }), { stored }))).toBe(401);
  verify(passkey.sign(options), { stored });
  expect(refusal(() => verify(passkey.sign(options, { signCount: 4 }), { stored }))).toBe(401);
  verify(passkey.sign(options, { signCount: 6 }), { stored });
});

test('a virtual authenticator gets the key that the server knows', () => {
  const { privateKey, credentialId, userHandle, ...rest } = passkey.toVirtualCredential();
  expect(rest).toEqual({ isResidentCredential: true, rpId: 'whatsapp.com', signCount: 0 });
  expect(Buffer.from(credentialId, 'base64')).toEqual(credential.credentialId);
  expect(Buffer.from(userHandle, 'base64')).toEqual(credential.userHandle);
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  expect(createPublicKey(key).equals(credential.publicKey)).toBe(true);
  verify(passkey.sign(options, { signCount: 7 }));
  expect(passkey.toVirtualCredential().signCount).toBe(7);
});

test('a form that is not an assertion is refused with 400', () => {
  const right = passkey.sign(options);
  const response = (changes: object) => ({ ...right, response: { ...right.response, ...changes } });
  const wrong = [
    {},
    { ...right, rawId: 'AA+/' },
    { ...right, response: undefined },
    response({ signature: 'AA==' }),
    response({ userHandle: undefined }),
    response({ clientDataJSON: Buffer.from('{').toString('base64url') }),
    response({ authenticatorData: 'AAAA' }),
  ];
  for (const assertion of wrong) expect(refusal(() => read(assertion))).toBe(400);
  expect(refusal(() => readAssertion(Buffer.from('no JSON')))).toBe(400);
});
