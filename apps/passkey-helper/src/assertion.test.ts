import { expect, it } from 'vitest';
import { encodeAssertion, readAssertion } from './assertion.js';

const bytes = (...values: number[]) => Uint8Array.from(values).buffer;

const credential = {
  id: '-_8',
  rawId: bytes(0xfb, 0xff),
  type: 'public-key',
  authenticatorAttachment: 'platform',
  response: {
    clientDataJSON: bytes(1),
    authenticatorData: bytes(2),
    signature: bytes(3),
    userHandle: bytes(4),
  },
};
const assertion = {
  ...{ id: '-_8', rawId: '-_8', type: 'public-key' },
  response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw', userHandle: 'BA' },
};

it('a credential becomes the fields of an assertion and no others', () => {
  expect(encodeAssertion(credential)).toEqual(assertion);
});

it('a view of a buffer is its own part only', () => {
  const rawId = new Uint8Array(bytes(9, 0xfb, 0xff, 9), 1, 2);
  expect(encodeAssertion({ ...credential, rawId }).rawId).toBe('-_8');
});

it.each([undefined, null, bytes()])('a user handle of %j is null', (userHandle) => {
  const response = { ...credential.response, userHandle };
  expect(encodeAssertion({ ...credential, response }).response.userHandle).toBeNull();
});

it.each([
  null,
  {},
  { ...credential, type: 'password' },
  { ...credential, rawId: 'AQ' },
  { ...credential, response: { attestationObject: bytes(1) } },
])('%j is not an assertion', (other) => {
  expect(() => encodeAssertion(other)).toThrow(TypeError);
});

it('a written assertion is read, without what it has besides', () => {
  expect(readAssertion(assertion)).toEqual(assertion);
  expect(readAssertion({ ...assertion, clientExtensionResults: {} })).toEqual(assertion);
  const response = { ...assertion.response, userHandle: null };
  expect(readAssertion({ ...assertion, response })).toEqual({ ...assertion, response });
});

it.each([
  undefined,
  'text',
  { ...assertion, id: 5 },
  { ...assertion, rawId: 'a+b=' },
  { ...assertion, type: 'x' },
  { ...assertion, response: { ...assertion.response, signature: '' } },
  { ...assertion, response: { ...assertion.response, userHandle: 1 } },
  { ...assertion, response: { ...assertion.response, clientDataJSON: 'a'.repeat(16_385) } },
])('a malformed one is refused', (other) => {
  expect(readAssertion(other)).toBeUndefined();
});
