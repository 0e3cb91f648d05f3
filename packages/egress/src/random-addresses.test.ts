import { BlockList, isIP } from 'node:net';
import { expect, test } from 'vitest';
import { AddressRules } from './address-rules.js';
import { parseUrl } from './parse-url.js';
import { hostOf, publicUrl } from './public-http/public-url.js';

/** Numbers that are the same in each run: mulberry32. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What IANA's registries of special-purpose addresses have as not globally reachable, and what stands for IPv4. */
const SPECIAL_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
const SPECIAL_IPV6 = [
  ...[
    '::/3',
    '2001::/32',
    '2001:2::/48',
    '2001:10::/28',
    '2001:db8::/32',
    '2002::/16',
    '3fff::/20',
    '4000::/2',
  ],
  ...['8000::/1'],
];

function blockListOf(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const RUNS = 50_000;

test('no IPv4 address that Node.js finds in the registry is allowed, and all others are', () => {
  const number = numbersFrom(1);
  const rules = AddressRules.parse('');
  const special = blockListOf(SPECIAL_IPV4, 'ipv4');
  const edges = SPECIAL_IPV4.map((network) => ipv4Number(network.split('/')[0] ?? ''));
  for (let run = 0; run < RUNS; run++) {
    // Half of them at the edge of a network.
    const near = (edges[number(edges.length)] ?? 0) + number(5) - 2;
    const address = ipv4Text(run % 2 === 0 ? number(2 ** 32) : near);
    if (address === '168.63.129.16') continue;
    expect([address, rules.allows(address)]).toEqual([address, !special.check(address, 'ipv4')]);
  }
});

test('no IPv6 address that Node.js finds in the registry is allowed', () => {
  const number = numbersFrom(2);
  const rules = AddressRules.parse('');
  const special = blockListOf(SPECIAL_IPV6, 'ipv6');
  const starts = [
    ...SPECIAL_IPV6.map((network) => network.split('::')[0] ?? ''),
    '64:ff9b',
    'fe80',
    '0:0:0:0:0:ffff',
  ];
  let allowed = 0;
  for (let run = 0; run < RUNS; run++) {
    const start = run % 2 === 0 ? '' : (starts[number(starts.length)] ?? '');
    const groups = start === '' ? [] : start.split(':');
    while (groups.length < 8) groups.push(number(3) === 0 ? '0' : number(2 ** 16).toString(16));
    const address = groups.join(':');
    if (!rules.allows(address)) continue;
    allowed += 1;
    expect([address, special.check(address, 'ipv6')]).toEqual([address, false]);
  }
  expect(allowed).toBeGreaterThan(RUNS / 100);
});

test('an IPv4 address is the same in all spellings', () => {
  const number = numbersFrom(3);
  for (let run = 0; run < RUNS; run++) {
    const value = number(2 ** 32);
    const spelling = spellingOf(value, number);
    const host = hostOf(publicUrl(`http://${spelling}/`));
    expect([spelling, host]).toEqual([spelling, ipv4Text(value)]);
  }
});

test('a host that is not an address is a name for Node.js too', () => {
  const number = numbersFrom(4);
  const characters = [
    '0',
    '1',
    '7',
    '9',
    'x',
    'X',
    'a',
    'f',
    '.',
    '%',
    '-',
    '_',
    ':',
    '[',
    ']',
    '。',
    '⓪',
    '１',
    '٠',
    '\u00ad',
  ];
  for (let run = 0; run < RUNS; run++) {
    const host = Array.from({ length: 1 + number(12) }, () => characters[number(characters.length)]).join('');
    const found = parseUrl(`http://${host}/`);
    if (found === undefined || found.username !== '' || found.port !== '') continue;
    // The end of a name decides (https://url.spec.whatwg.org/#ends-in-a-number-checker).
    const last = found.hostname.replace(/\.$/, '').split('.').at(-1) ?? '';
    const isAddress = found.hostname.startsWith('[') || /^(\d+|0x[0-9a-f]*)$/.test(last);
    expect([host, isIP(hostOf(found)) !== 0]).toEqual([host, isAddress]);
  }
});

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function ipv4Text(value: number): string {
  const wrapped = (value + 2 ** 32) % 2 ** 32;
  return [24, 16, 8, 0].map((bits) => Math.floor(wrapped / 2 ** bits) % 256).join('.');
}

/** In one to four parts, each as decimal, octal or hexadecimal, with digits of other scripts, and encoded. */
function spellingOf(value: number, number: (below: number) => number): string {
  const count = 1 + number(4);
  const parts: number[] = [];
  for (let part = 0; part < count - 1; part++) parts.push(Math.floor(value / 2 ** (24 - 8 * part)) % 256);
  parts.push(value % 2 ** (32 - 8 * (count - 1)));
  const written = parts.map((part) => {
    const zeros = '0'.repeat(number(3));
    const forms = [
      `${part}`,
      `0${zeros}${part.toString(8)}`,
      `0x${zeros}${part.toString(16)}`,
      `0X${part.toString(16)}`,
    ];
    return forms[number(forms.length)] ?? '';
  });
  const dressed = written.map((part) =>
    part.replace(/[0-9]/g, (digit) => {
      const code = digit.charCodeAt(0);
      const choice = number(8);
      if (choice === 0) return `%${code.toString(16)}`;
      return choice === 1 ? String.fromCharCode(code + 0xfee0) : digit;
    }),
  );
  return dressed.join(['.', '。', '．', '%2e'][number(4)]) + (number(4) === 0 ? '.' : '');
}
