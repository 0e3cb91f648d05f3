import { parseUrl } from '../parse-url.js';
import { PublicHttpError } from './public-http-error.js';

/** Signed addresses of files have tokens of some kilobytes. */
const LONGEST_URL = 8_192;

/** Ports of other protocols, which a request could be meant for (https://fetch.spec.whatwg.org/#port-blocking). */
const OTHER_PROTOCOLS: ReadonlySet<number> = new Set([
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103],
  ...[
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
  ],
  ...[515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723],
  ...[2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/**
 * Reads an address that a client wrote, or a server redirects to. Its host is in the usual form then: 0x7f.1 is
 * 127.0.0.1.
 * @param base what a relative address refers to.
 * @throws {PublicHttpError} bad-url.
 */
export function publicUrl(text: string, base?: URL): URL {
  // The parser would drop line breaks and tabs.
  const isPlain = text.length <= LONGEST_URL && !/[\s\p{Cc}]/u.test(text);
  const url = isPlain ? parseUrl(text, base) : undefined;
  if (url === undefined) throw new PublicHttpError('bad-url');
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  const hasCredentials = url.username !== '' || url.password !== '';
  if (!isWeb || hasCredentials || OTHER_PROTOCOLS.has(portOf(url))) throw new PublicHttpError('bad-url');
  url.hash = '';
  return url;
}

/** The port of a URL, with the default of its protocol. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The host of a URL: a name or an address, an IPv6 address without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
