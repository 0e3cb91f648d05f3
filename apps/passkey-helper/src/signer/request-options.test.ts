import { expect, it } from 'vitest';
import { decodeRequestOptions } from './request-options.js';

const challenge = 'FC6vcJgP-Ov_66yfWgoh1w8m_trR92BnFDhg-e5JEwk';

it('the options that WhatsApp sends are decoded, without an empty list and without extensions', () => {
  const json = {
    ...{ challenge, timeout: 600_000, rpId: 'whatsapp.com', allowCredentials: [] },
    ...{ userVerification: 'required', extensions: { uvm: true } },
  };
  const decoded = decodeRequestOptions(json);
  expect(decoded).toEqual({
    challenge: expect.any(Uint8Array),
    timeout: 600_000,
    rpId: 'whatsapp.com',
    userVerification: 'required',
  });
  expect(decoded.challenge.byteLength).toBe(32);
});

it('credentials are decoded without their transports', () => {
  const allowCredentials = [{ id: 'AQID', type: 'public-key', transports: ['usb'] }];
  expect(decodeRequestOptions({ challenge, allowCredentials }).allowCredentials).toEqual([
    { id: Uint8Array.of(1, 2, 3), type: 'public-key' },
  ]);
});

it('what WebAuthn does not know is left to its defaults', () => {
  const json = { challenge, timeout: -1, userVerification: 'always', allowCredentials: null };
  expect(Object.keys(decodeRequestOptions(json))).toEqual(['challenge']);
  expect(decodeRequestOptions({ challenge, timeout: 1e12 }).timeout).toBe(600_000);
});

it.each([
  undefined,
  [],
  {},
  { challenge: '' },
  { challenge: 7 },
  { challenge: '!' },
  { challenge, rpId: 1 },
  { challenge, allowCredentials: {} },
  { challenge, allowCredentials: [{}] },
  { challenge, allowCredentials: [{ id: '!' }] },
])('%j is refused', (json) => {
  expect(() => decodeRequestOptions(json)).toThrow(TypeError);
});
