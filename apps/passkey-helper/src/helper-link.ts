import { decodeBase64url } from './base64url.js';
import { isFields, isText } from './json-fields.js';

/** What a helper link contains: for one passkey request of one session, and for the minutes that it lasts. */
export interface HelperLink {
  /** The bearer token of the three calls. A secret: only the panel and the relay have it. */
  readonly token: string;
  /** The address of the API without a slash at its end, such as `https://wafleet.example.com`. */
  readonly apiUrl: string;
}

/** How the fragment of a helper link begins. */
const PREFIX = '#wafleet-passkey=';
const TOKEN = /^[A-Za-z0-9_-]{20,200}$/;
const LONGEST_FRAGMENT = 4_096;
const LONGEST_URL = 2_048;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a page was opened by a helper link, a damaged one too. */
export function hasHelperLink(fragment: string): boolean {
  return fragment.startsWith(PREFIX);
}

/** Reads the fragment of a page's address, `#` included. Undefined if it is not a helper link, or a damaged one. */
export function readHelperLink(fragment: string): HelperLink | undefined {
  if (!hasHelperLink(fragment) || fragment.length > LONGEST_FRAGMENT) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      decodeBase64url(fragment.slice(PREFIX.length)),
    );
    const content: unknown = JSON.parse(text);
    return isFields(content) ? checkHelperLink({ token: content.t, apiUrl: content.b }) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks a link that comes from elsewhere. Undefined if the token is malformed, or if the API could be reached by others
 * unencrypted: its address must be https, or http on this machine.
 */
export function checkHelperLink(link: unknown): HelperLink | undefined {
  if (!isFields(link) || !isText(link.token, LONGEST_FRAGMENT) || !isText(link.apiUrl, LONGEST_URL))
    return undefined;
  if (!TOKEN.test(link.token) || !URL.canParse(link.apiUrl)) return undefined;
  const { protocol, hostname, username, password, origin, pathname, search, hash } = new URL(link.apiUrl);
  const isProtected = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  if (!isProtected || [username, password, search, hash].some((part) => part !== '')) return undefined;
  return { token: link.token, apiUrl: `${origin}${pathname.replace(/\/+$/, '')}` };
}
