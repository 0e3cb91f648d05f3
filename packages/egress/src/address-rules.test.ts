import { expect, test } from 'vitest';
import { AddressRules } from './address-rules.js';

const PUBLIC = ['93.184.216.34', '8.8.8.8', '2606:4700::1111'];
const PRIVATE = [
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '127.0.0.1',
  '100.64.0.1',
  '0.0.0.0',
  '192.0.2.1',
  '198.18.0.1',
  '240.0.0.1',
  '::1',
  '::',
  'fc00::1',
  '2001:db8::1',
  // Not assigned to anybody: what leads there is a route of one's own network.
  '1::1',
  '4000::1',
  'fe00::1',
];
/** Also where everything is allowed. */
const NEVER = [
  '169.254.169.254',
  '169.254.1.1',
  'fe80::1',
  'fe80::1%eth0',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '::a9fe:a9fe',
  '::127.0.0.1',
  '2002:a9fe:a9fe::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  '',
  'localhost',
];

test('public addresses are allowed, and no others', () => {
  const rules = AddressRules.parse('');
  for (const address of PUBLIC) expect(rules.allows(address), address).toBe(true);
  for (const address of [...PRIVATE, ...NEVER]) expect(rules.allows(address), address).toBe(false);
});

test('networks are allowed in addition', () => {
  const rules = AddressRules.parse(' 10.3.0.0/16, 127.0.0.1,fc00::/64 ,');
  for (const address of [...PUBLIC, '10.3.255.1', '127.0.0.1', 'fc00::1']) {
    expect(rules.allows(address), address).toBe(true);
  }
  for (const address of ['10.4.0.1', '127.0.0.2', 'fc00:0:0:1::1', ...NEVER]) {
    expect(rules.allows(address), address).toBe(false);
  }
});

test('some addresses are refused even where all networks are allowed', () => {
  const rules = AddressRules.parse('0.0.0.0/0,::/0');
  for (const address of ['10.0.0.1', '::1', ...PUBLIC]) expect(rules.allows(address), address).toBe(true);
  for (const address of NEVER) expect(rules.allows(address), address).toBe(false);
});

test.each(['proxy.example', '10.0.0.0/33', '10.0.0', '10.0.0.0/8;10.1.0.0/8'])(
  '%s is not a network',
  (text) => {
    expect(() => AddressRules.parse(text)).toThrow(TypeError);
    expect(AddressRules.canParse(text)).toBe(false);
  },
);
