import { decodeBase64url } from '../base64url.js';
import { isFields } from '../json-fields.js';

/** WebAuthn's own upper bound of what is sensible, and what WhatsApp asks for. ms. */
const LONGEST_TIMEOUT_MS = 600_000;
const VERIFICATIONS = ['required', 'preferred', 'discouraged'] as const;

/**
 * Decodes `PublicKeyCredentialRequestOptionsJSON`. Throws a `TypeError` if it is malformed.
 *
 * Left out: an empty list of credentials, which some password managers take for "none is allowed". The transports,
 * because `usb` alone makes Chromium ask for a security key. The extensions, because nothing uses their results.
 */
export function decodeRequestOptions(json: unknown): PublicKeyCredentialRequestOptions {
  if (!isFields(json)) throw new TypeError('the options are not an object');
  const { challenge, rpId, timeout, allowCredentials } = json;
  if (typeof challenge !== 'string' || challenge === '') throw new TypeError('there is no challenge');
  if (rpId !== undefined && typeof rpId !== 'string') throw new TypeError('the rpId is not a text');
  const userVerification = VERIFICATIONS.find((known) => known === json.userVerification);
  const allowed = decodeCredentials(allowCredentials);
  return {
    challenge: decodeBase64url(challenge),
    ...(rpId === undefined ? {} : { rpId }),
    ...(typeof timeout === 'number' && timeout > 0 ? { timeout: Math.min(timeout, LONGEST_TIMEOUT_MS) } : {}),
    ...(userVerification === undefined ? {} : { userVerification }),
    ...(allowed.length === 0 ? {} : { allowCredentials: allowed }),
  };
}

function decodeCredentials(list: unknown): PublicKeyCredentialDescriptor[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new TypeError('the allowed credentials are not a list');
  return list.map((entry: unknown) => {
    if (!isFields(entry) || typeof entry.id !== 'string') throw new TypeError('a credential has no id');
    return { type: 'public-key', id: decodeBase64url(entry.id) };
  });
}
