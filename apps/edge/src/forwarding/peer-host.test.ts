import { StartError } from '@wafleet/runtime';
import { expect, it } from 'vitest';
import { peerHost } from './peer-host.js';

const v4 = (address: string) => ({ address, family: 'IPv4' });
const v6 = (address: string) => ({ address, family: 'IPv6' });

it.each([
  [[v4('127.0.0.1'), v4('172.18.0.3')], '172.18.0.3'],
  [[v4('203.0.113.7'), v6('fd12::3'), v4('10.1.2.3')], '10.1.2.3'],
  [[v6('::1'), v6('fe80::1'), v6('fd12::3')], 'fd12::3'],
])('auto of %j is %s', (addresses, expected) => {
  expect(peerHost('auto', addresses)).toBe(expected);
});

it('auto never takes an address that the internet reaches', () => {
  const addresses = [v4('127.0.0.1'), v4('203.0.113.7'), v4('172.32.0.1'), v6('2001:db8::1')];
  expect(() => peerHost('auto', addresses)).toThrow(StartError);
});

it('takes a given address unchanged', () => {
  expect(peerHost('203.0.113.7', [])).toBe('203.0.113.7');
});
