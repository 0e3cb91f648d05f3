import { isIP } from 'node:net';
import { parseUrl } from './parse-url.js';

/** `https`: HTTP CONNECT over TLS to the proxy. `socks5` always lets the proxy resolve names, as `socks5h` does. */
export type ProxyKind = 'http' | 'https' | 'socks5';

const KINDS: Readonly<Record<string, ProxyKind>> = {
  http: 'http',
  https: 'https',
  socks5: 'socks5',
  socks5h: 'socks5',
};

const PROBLEMS = {
  malformed: 'It must look like http://user:password@host:port.',
  scheme: 'It must begin with http://, https://, socks5:// or socks5h://.',
  host: 'The host is not valid.',
  port: 'The port must be from 1 to 65535, and not that of mail.',
  credentials:
    'User and password must be percent-encoded, without control characters, and at most 255 bytes each.',
} as const;

export type ProxyUrlProblem = keyof typeof PROBLEMS;

/** A text is not the URL of a proxy. The message does not contain the text. */
export class ProxyUrlError extends Error {
  override readonly name = 'ProxyUrlError';
  readonly problem: ProxyUrlProblem;

  constructor(problem: ProxyUrlProblem) {
    super(PROBLEMS[problem]);
    this.problem = problem;
  }
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

const DEFAULT_PORTS: Readonly<Record<ProxyKind, string>> = { http: '80', https: '443', socks5: '1080' };
const LONGEST_URL = 2_048;
/** SOCKS5 has one byte for the length of each (RFC 1929). */
const LONGEST_CREDENTIAL = 255;
const MAIL_PORT = 25;
/** The last @ ends the credentials, as in a URL. What follows the port is only a slash. */
const FORM = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#\s]*)@)?(\[[^\]]*\]|[^/?#@:\s]+)(?::(\d{1,5}))?\/?$/i;

/**
 * A proxy server. The credentials are in private fields, so that no log, error or `inspect` shows them; JSON says only
 * whether there are some.
 */
export class EgressProxy {
  readonly kind: ProxyKind;
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly #credentials: Credentials | undefined;

  private constructor(kind: ProxyKind, host: string, port: number, credentials: Credentials | undefined) {
    this.kind = kind;
    this.host = host;
    this.port = port;
    this.#credentials = credentials;
  }

  /**
   * Reads a URL such as `socks5://user:password@proxy.example:1080`. Default ports: 80, 443 and 1080.
   * @throws {ProxyUrlError}
   */
  static parse(url: string): EgressProxy {
    const match = url.length <= LONGEST_URL ? FORM.exec(url) : null;
    if (match === null) throw new ProxyUrlError('malformed');
    const [, scheme = '', userinfo, authority = '', digits] = match;
    const kind = KINDS[scheme.toLowerCase()];
    if (kind === undefined) throw new ProxyUrlError('scheme');
    const port = Number(digits ?? DEFAULT_PORTS[kind]);
    if (port < 1 || port > 65_535 || port === MAIL_PORT) throw new ProxyUrlError('port');
    return new EgressProxy(kind, hostOf(authority), port, credentialsOf(kind, userinfo));
  }

  get hasCredentials(): boolean {
    return this.#credentials !== undefined;
  }

  /** User and password, decoded. A method, since `inspect` may read getters. */
  readCredentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** Whether both are the same proxy with the same credentials. */
  equals(other: EgressProxy | undefined): boolean {
    return (
      other !== undefined &&
      this.kind === other.kind &&
      this.host === other.host &&
      this.port === other.port &&
      this.#credentials?.username === other.#credentials?.username &&
      this.#credentials?.password === other.#credentials?.password
    );
  }

  toJSON(): { kind: ProxyKind; host: string; port: number; hasCredentials: boolean } {
    const { kind, host, port, hasCredentials } = this;
    return { kind, host, port, hasCredentials };
  }
}

/** The parser of http URLs knows every way to write an address, such as 0x7f.1; it returns the usual one. */
function hostOf(authority: string): string {
  const url = parseUrl(`http://${authority}`);
  if (url === undefined) throw new ProxyUrlError('host');
  const { hostname } = url;
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (host === '' || host.length > 253 || (isIP(host) === 0 && !/^[a-z0-9._-]+$/.test(host))) {
    throw new ProxyUrlError('host');
  }
  return host;
}

function credentialsOf(kind: ProxyKind, userinfo: string | undefined): Credentials | undefined {
  if (userinfo === undefined || userinfo === '') return undefined;
  const colon = userinfo.indexOf(':');
  const username = decoded(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const password = colon < 0 ? '' : decoded(userinfo.slice(colon + 1));
  // Basic authentication separates them by a colon, and SOCKS5 has no empty user.
  if (username === '' || (kind !== 'socks5' && username.includes(':')))
    throw new ProxyUrlError('credentials');
  return { username, password };
}

function decoded(part: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw new ProxyUrlError('credentials');
  }
  if (Buffer.byteLength(text) > LONGEST_CREDENTIAL || /\p{Cc}/u.test(text)) {
    throw new ProxyUrlError('credentials');
  }
  return text;
}
