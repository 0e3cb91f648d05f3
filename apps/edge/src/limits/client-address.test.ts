import { once } from 'node:events';
import { createServer, IncomingMessage, request } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { areProxies, ClientAddresses, parseProxies, wideNetworks } from './client-address.js';

/** A request from an address, as Node gives it. */
function from(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const made = new IncomingMessage(socket);
  if (forwarded !== undefined) made.headers['x-forwarded-for'] = forwarded;
  return made;
}

describe('without trusted proxies', () => {
  const addresses = new ClientAddresses([]);

  it.each([
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['127.0.0.1', '198.51.100.1', '127.0.0.1'],
    ['::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::1', undefined, '2001:db8:1:2::/64'],
    ['::1', undefined, '0:0:0:0::/64'],
    ['fe80::1%eth0', undefined, 'fe80:0:0:0::/64'],
    ['fe80::1%eth0.100', undefined, 'fe80:0:0:0::/64'],
    ['fe80::1%br-2', undefined, 'fe80:0:0:0::/64'],
    ['', undefined, 'unknown'],
    [undefined, '203.0.113.7', 'unknown'],
  ])('%s with X-Forwarded-For %s is %s', (remote, forwarded, expected) => {
    expect(addresses.of(from(remote, forwarded))).toBe(expected);
  });
});

describe('with trusted proxies', () => {
  const addresses = new ClientAddresses(parseProxies('10.0.0.0/8, loopback'), 2);

  it.each([
    ['10.1.2.3', '203.0.113.7', '203.0.113.7'],
    ['10.1.2.3', '203.0.113.7, 10.9.9.9', '203.0.113.7'],
    // What the client wrote precedes what the proxy saw.
    ['10.1.2.3', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['10.1.2.3', '10.4.4.4, 203.0.113.7', '203.0.113.7'],
    ['127.0.0.1', '2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['10.1.2.3', '203.0.113.7, 10.8.8.8, 10.9.9.9', '10.8.8.8'],
    // Only a client's own address counts if no trusted proxy was passed.
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['10.1.2.3', 'unknown', '10.1.2.3'],
    ['10.1.2.3', `${'x'.repeat(5_000)}`, '10.1.2.3'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    // A connection that was reset has no address.
    [undefined, '203.0.113.7', 'unknown'],
    // Zones that Node.js accepts and ipaddr.js does not.
    ['10.1.2.3', '2001:db8::1%a-b', '2001:db8:0:0::/64'],
    ['10.1.2.3', '2001:db8::1%a-b, 10.9.9.9', '2001:db8:0:0::/64'],
    ['10.1.2.3', '203.0.113.7, fe80::1%a.b', 'fe80:0:0:0::/64'],
  ])('%s with X-Forwarded-For %s is %s', (remote, forwarded, expected) => {
    expect(addresses.of(from(remote, forwarded))).toBe(expected);
  });
});

describe('with whole private networks as proxies', () => {
  const addresses = new ClientAddresses(['uniquelocal']);

  it.each([
    ['172.18.0.5', '203.0.113.7', '203.0.113.7'],
    ['172.18.0.5', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    // A client in a private network whose address a proxy might have, and a header that the client made up.
    ['172.18.0.5', '198.51.100.1, 192.168.1.9', '192.168.1.9'],
    ['172.18.0.5', '198.51.100.1, 10.0.0.1, fd00:1:2:3::9', 'fd00:1:2:3::/64'],
  ])('%s with X-Forwarded-For %s is %s', (remote, forwarded, expected) => {
    expect(addresses.of(from(remote, forwarded))).toBe(expected);
  });
});

it('tells networks in which clients may be as well', () => {
  expect(wideNetworks(parseProxies('10.0.0.0/8, 172.31.9.2, 172.31.9.0/24, uniquelocal, fd00::/8'))).toEqual([
    '10.0.0.0/8',
    'uniquelocal',
    'fd00::/8',
  ]);
});

it('tells the address of a real request', async () => {
  const server = createServer((message, response) => response.end(new ClientAddresses([]).of(message)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const [response] = await once(request({ port, host: '127.0.0.1' }).end(), 'response');
  expect(String(await response.setEncoding('utf8').toArray())).toBe('127.0.0.1');
  server.close();
});

it.each(['', 'loopback', '10.0.0.0/8,2001:db8::/32', 'uniquelocal, 192.0.2.1'])('takes %s', (text) => {
  expect(areProxies(parseProxies(text))).toBe(true);
});

it.each([
  '0.0.0.0/0',
  '::/0',
  '0.0.0.0/1,128.0.0.0/1',
  '0.0.0.0/0.0.0.0',
  'example.com',
  '10.0.0.0/99',
  '*',
  'all',
  '10.0.0.0/8;loopback',
])('does not take %s', (text) => {
  expect(areProxies(parseProxies(text))).toBe(false);
});
