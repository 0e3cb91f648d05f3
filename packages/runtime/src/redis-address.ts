/** One server, as its URL says. */
export interface RedisServerAddress {
  readonly kind: 'server';
  readonly url: string;
}

/** The primary of a group of servers, which sentinels know. */
export interface RedisSentinelAddress {
  readonly kind: 'sentinel';
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The name by which the sentinels know the group. */
  readonly primaryName: string;
  /** To Redis; the connections to sentinels are plain. */
  readonly tls: boolean;
  readonly database: number;
  /** Of Redis. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
}

export type RedisAddress = RedisServerAddress | RedisSentinelAddress;

/** The text is not a URL of a Redis. The message says what is wrong and contains no part of the text. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

const SENTINEL_PORT = 26_379;
const SERVER_FORM = /^rediss?:\/\//;
const SENTINEL_FORM = /^redis(s?)\+sentinel:\/\/([^/?#\s]*)([^?#\s]*)(?:\?([^#\s]*))?$/;
const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]@]+))(?::(\d{1,5}))?$/;
const NAME_AND_DATABASE = /^\/([^/]+)(?:\/(\d{1,5}))?$/;
const OPTIONS = ['sentinelUsername', 'sentinelPassword'];

/**
 * Reads where Redis is. Two forms:
 *
 * - `redis://[user:password@]host[:port][/database]`: one server, as ioredis reads it.
 * - `redis+sentinel://[user:password@]host[:port],host[:port],…/name[/database]`: the primary of the group `name`, for
 *   which these sentinels are asked, on port 26379 if none is given. `?sentinelUsername=…&sentinelPassword=…` is what
 *   they demand, where they do.
 *
 * `rediss` in place of `redis` means TLS to Redis. Names and passwords are percent-encoded.
 * @throws {RedisUrlError}
 */
export function parseRedisUrl(url: string): RedisAddress {
  if (SERVER_FORM.test(url)) {
    if (!URL.canParse(url)) throw new RedisUrlError('it is not a URL');
    return { kind: 'server', url };
  }
  if (!/^rediss?\+sentinel:\/\//.test(url)) {
    throw new RedisUrlError(
      'it begins with none of redis://, rediss://, redis+sentinel:// and rediss+sentinel://',
    );
  }
  const [, tls, authority, path, query] = SENTINEL_FORM.exec(url) ?? [];
  if (authority === undefined) throw new RedisUrlError('it is not a URL');
  const [hosts = '', credentials, ...surplus] = authority.split('@').reverse();
  if (surplus.length > 0) throw new RedisUrlError('an @ in its password is not written as %40');
  const [, name, database] = NAME_AND_DATABASE.exec(path ?? '') ?? [];
  if (name === undefined) {
    throw new RedisUrlError(
      'after the sentinels it lacks /name-of-the-primary or /name-of-the-primary/database',
    );
  }
  return {
    kind: 'sentinel',
    sentinels: hosts.split(',').map(parseSentinel),
    primaryName: decode(name),
    tls: tls === 's',
    database: Number(database ?? 0),
    ...parseCredentials(credentials),
    ...parseOptions(query),
  };
}

function parseSentinel(text: string): { host: string; port: number } {
  const [, ipv6, host = ipv6, digits] = HOST_AND_PORT.exec(text) ?? [];
  const port = Number(digits ?? SENTINEL_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new RedisUrlError('its sentinels are not a list of host:port with commas between them');
  }
  return { host, port };
}

function parseCredentials(text = ''): Pick<RedisSentinelAddress, 'username' | 'password'> {
  if (text === '') return { username: undefined, password: undefined };
  const [, username = '', password = ''] = /^([^:]*):([^:]*)$/.exec(text) ?? [];
  if (password === '') throw new RedisUrlError('what stands before its @ is not user:password or :password');
  return { username: decode(username) || undefined, password: decode(password) };
}

function parseOptions(query = ''): Pick<RedisSentinelAddress, 'sentinelUsername' | 'sentinelPassword'> {
  const options = new Map<string, string>();
  for (const part of query.split('&').filter((text) => text !== '')) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    if (!OPTIONS.includes(name) || value === '' || options.has(name)) {
      throw new RedisUrlError(`after its ? it takes ${OPTIONS.join(' and ')}, each once and with a value`);
    }
    options.set(name, decode(value));
  }
  const [sentinelUsername, sentinelPassword] = OPTIONS.map((name) => options.get(name));
  if (sentinelUsername !== undefined && sentinelPassword === undefined) {
    throw new RedisUrlError('it has a sentinelUsername and no sentinelPassword');
  }
  return { sentinelUsername, sentinelPassword };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError('a % in it does not begin a percent-encoded character');
  }
}
