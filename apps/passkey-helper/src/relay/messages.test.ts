import { expect, it } from 'vitest';
import { readRelayRequest } from './messages.js';

const link = { token: 'p8Jc1-nV_yq0cK3lq3jJ8C9mYpT0vRr2wq1x5d7eG4k', apiUrl: 'https://wafleet.example.com' };
const assertion = {
  ...{ id: 'AQ', rawId: 'AQ', type: 'public-key' },
  response: { clientDataJSON: 'AQ', authenticatorData: 'AQ', signature: 'AQ', userHandle: null },
};

it.each([{ name: 'get' }, { name: 'sign', assertion }, { name: 'confirm', matches: false }])(
  'the call %j is read',
  (call) => {
    expect(readRelayRequest({ link, call })).toEqual({ link, call });
  },
);

it.each([
  undefined,
  { link },
  { call: { name: 'get' } },
  { link: { ...link, apiUrl: 'http://wafleet.example.com' }, call: { name: 'get' } },
  { link, call: { name: 'delete' } },
  { link, call: { name: 'sign' } },
  { link, call: { name: 'confirm', matches: 'yes' } },
])('%j is refused', (message) => {
  expect(readRelayRequest(message)).toBeUndefined();
});
