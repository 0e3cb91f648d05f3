import { describe, expect, test } from 'vitest';
import { withoutCredentials } from './redaction.js';
import { parseRedisUrl, RedisUrlError } from './redis-address.js';

const plain = {
  kind: 'sentinel',
  tls: false,
  database: 0,
  username: undefined,
  password: undefined,
  sentinelUsername: undefined,
  sentinelPassword: undefined,
};

describe('parseRedisUrl', () => {
  test.each(['redis://localhost', 'redis://:secret@host:6380/2', 'rediss://user:p%40ss@[::1]:6379'])(
    'takes %s as one server',
    (url) => {
      expect(parseRedisUrl(url)).toEqual({ kind: 'server', url });
    },
  );

  test('takes sentinels with and without ports, names and IPv6', () => {
    expect(parseRedisUrl('redis+sentinel://one,two.example.com:5000,[fd00::1]:26380/my%20group')).toEqual({
      ...plain,
      sentinels: [
        { host: 'one', port: 26379 },
        { host: 'two.example.com', port: 5000 },
        { host: 'fd00::1', port: 26380 },
      ],
      primaryName: 'my group',
    });
  });

  test('takes TLS, credentials of both kinds, and a database', () => {
    const url =
      'rediss+sentinel://app:p%40%2F+1@one:26379/main/7?sentinelUsername=watcher&sentinelPassword=a+b%26c';
    expect(parseRedisUrl(url)).toEqual({
      kind: 'sentinel',
      sentinels: [{ host: 'one', port: 26379 }],
      primaryName: 'main',
      tls: true,
      database: 7,
      username: 'app',
      password: 'p@/+1',
      sentinelUsername: 'watcher',
      sentinelPassword: 'a+b&c',
    });
    expect(parseRedisUrl('redis+sentinel://:planted@one/main?sentinelPassword=x')).toMatchObject({
      username: undefined,
      password: 'planted',
      sentinelPassword: 'x',
    });
  });

  test.each([
    ['http://host', 'it begins with none of'],
    ['redis+sentinels://one/main', 'it begins with none of'],
    ['redis://planted host:x', 'it is not a URL'],
    ['redis+sentinel://one two/main', 'it is not a URL'],
    ['redis+sentinel:///main', 'not a list of host:port'],
    ['redis+sentinel://one,,two/main', 'not a list of host:port'],
    ['redis+sentinel://one:0/main', 'not a list of host:port'],
    ['redis+sentinel://one:65536/main', 'not a list of host:port'],
    ['redis+sentinel://one:planted/main', 'not a list of host:port'],
    ['redis+sentinel://one,two', 'it lacks /name-of-the-primary'],
    ['redis+sentinel://one/', 'it lacks /name-of-the-primary'],
    ['redis+sentinel://one/main/planted', 'it lacks /name-of-the-primary'],
    ['redis+sentinel://app:pl@nted@one/main', 'an @ in its password'],
    ['redis+sentinel://planted@one/main', 'not user:password'],
    ['redis+sentinel://planted:@one/main', 'not user:password'],
    ['redis+sentinel://:pl%anted@one/main', 'does not begin a percent-encoded character'],
    ['redis+sentinel://one/main?sentinelpassword=planted', 'it takes sentinelUsername and sentinelPassword'],
    ['redis+sentinel://one/main?sentinelPassword=', 'it takes sentinelUsername and sentinelPassword'],
    ['redis+sentinel://one/main?sentinelPassword=a&sentinelPassword=planted', 'each once'],
    ['redis+sentinel://one/main?sentinelUsername=planted', 'no sentinelPassword'],
  ])('refuses %s', (url, reason) => {
    const parse = () => parseRedisUrl(url);
    expect(parse).toThrow(RedisUrlError);
    expect(parse).toThrow(reason);
    expect(parse).not.toThrow(/pl.?a?nted/);
  });
});

test('withoutCredentials blanks what stands before the host and in the query', () => {
  expect(
    withoutCredentials(
      'at redis+sentinel://u:pl@nted@one:1,two:2/main/0?sentinelUsername=planted&sentinelPassword=planted&x=y (no)',
    ),
  ).toBe('at redis+sentinel://***@one:1,two:2/main/0?sentinelUsername=***&sentinelPassword=***&x=y (no)');
  expect(withoutCredentials('redis://h1:1 and redis://:planted@h2?password=planted')).toBe(
    'redis://h1:1 and redis://***@h2?password=***',
  );
});
