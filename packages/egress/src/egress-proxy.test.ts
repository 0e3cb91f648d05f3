import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { EgressProxy, ProxyUrlError } from './egress-proxy.js';

test.each([
  ['http://proxy.example:3128', { kind: 'http', host: 'proxy.example', port: 3128 }],
  ['HTTPS://Proxy.Example:443/', { kind: 'https', host: 'proxy.example', port: 443 }],
  ['http://proxy.example', { kind: 'http', host: 'proxy.example', port: 80 }],
  ['https://proxy.example', { kind: 'https', host: 'proxy.example', port: 443 }],
  ['socks5://[::1]', { kind: 'socks5', host: '::1', port: 1080 }],
  ['socks5://proxy.example:80', { kind: 'socks5', host: 'proxy.example', port: 80 }],
  ['http://proxy.example:80', { kind: 'http', host: 'proxy.example', port: 80 }],
  ['socks5://127.1:1080', { kind: 'socks5', host: '127.0.0.1', port: 1080 }],
  ['socks5h://0x7f000001:1080', { kind: 'socks5', host: '127.0.0.1', port: 1080 }],
  ['socks5://[2001:DB8::1]:1080', { kind: 'socks5', host: '2001:db8::1', port: 1080 }],
])('%s is a proxy', (url, expected) => {
  const proxy = EgressProxy.parse(url);
  expect(proxy).toMatchObject(expected);
  expect(proxy.readCredentials()).toBeUndefined();
});

test('user and password are decoded', () => {
  const credentials = EgressProxy.parse(
    'http://cust%6Fmer:p%40ss%3Aw%C3%B6rd@proxy.example:3128',
  ).readCredentials();
  expect(credentials).toEqual({ username: 'customer', password: 'p@ss:wörd' });
  expect(EgressProxy.parse('socks5://user:p@ss@h:1').readCredentials()?.password).toBe('p@ss');
  expect(EgressProxy.parse('socks5://user@h:1').readCredentials()).toEqual({
    username: 'user',
    password: '',
  });
});

test.each([
  ['', 'malformed'],
  ['proxy.example:3128', 'malformed'],
  ['http://proxy.example:3128/path', 'malformed'],
  ['http://proxy.example:3128?query', 'malformed'],
  ['http://user:top/secret@proxy.example:3128', 'malformed'],
  ['http://proxy.example:123456', 'malformed'],
  [`http://${'a'.repeat(2_100)}:80`, 'malformed'],
  ['ftp://proxy.example:3128', 'scheme'],
  ['socks4://proxy.example:1080', 'scheme'],
  ['http://proxy.example:0', 'port'],
  ['http://proxy.example:65536', 'port'],
  ['http://mail.example:25', 'port'],
  ['http://[::1:80', 'malformed'],
  ['http://[zz]:80', 'host'],
  ['http://%00:80', 'host'],
  ['http://999.1.1.1:80', 'host'],
  [`http://${'a'.repeat(254)}:80`, 'host'],
  ['http://user:topsecret%zz@h:80', 'credentials'],
  ['http://user:topsecret%0d%0a@h:80', 'credentials'],
  ['http://:topsecret@h:80', 'credentials'],
  ['http://us%3Aer:topsecret@h:80', 'credentials'],
  [`http://user:${'topsecret'.repeat(29)}@h:80`, 'credentials'],
])('%s is none: %s', (url, problem) => {
  let error: unknown;
  try {
    EgressProxy.parse(url);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ProxyUrlError);
  expect(error).toMatchObject({ problem });
  expect(inspect(error, { showHidden: true, depth: 20 })).not.toContain('topsecret');
});

test('nothing that shows a proxy shows its credentials', () => {
  const proxy = EgressProxy.parse('http://customer:topsecret@proxy.example:3128');
  const shown = `${inspect(proxy, { showHidden: true, depth: 20, getters: true })}${JSON.stringify(proxy)}${proxy}`;
  expect(shown).not.toMatch(/customer|topsecret/);
  expect(JSON.parse(JSON.stringify(proxy))).toEqual({
    kind: 'http',
    host: 'proxy.example',
    port: 3128,
    hasCredentials: true,
  });
});

test('equal proxies have equal credentials', () => {
  const parse = (url: string) => EgressProxy.parse(url);
  expect(parse('socks5://a:b@h:1').equals(parse('socks5h://a:b@H:1'))).toBe(true);
  expect(parse('socks5://a:b@h:1').equals(parse('socks5://a:c@h:1'))).toBe(false);
  expect(parse('socks5://a:b@h:1').equals(parse('socks5://h:1'))).toBe(false);
  expect(parse('socks5://h:1').equals(parse('http://h:1'))).toBe(false);
  expect(parse('socks5://h:1').equals(undefined)).toBe(false);
});
