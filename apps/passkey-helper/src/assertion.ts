import { encodeBase64url } from './base64url.js';
import { isFields, isText } from './json-fields.js';

/** What the authenticator signed, as the API takes it. Bytes are base64url without padding. */
export interface Assertion {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle: string | null;
  };
}

/** The bound of the API for a whole assertion, bytes. */
const LONGEST_FIELD = 16_384;

/**
 * The assertion of a credential that `navigator.credentials.get` gave. Reads the fields alone, since password managers
 * give objects of their own. Throws a `TypeError` if a field is missing.
 */
export function encodeAssertion(credential: unknown): Assertion {
  if (!isFields(credential) || credential.type !== 'public-key') throw new TypeError('it is not a passkey');
  const { id, rawId, response } = credential;
  if (typeof id !== 'string' || !isFields(response)) throw new TypeError('nothing was signed');
  const handle = response.userHandle ?? null;
  const userHandle = handle === null ? '' : encodeBase64url(bytesOf(handle));
  return {
    ...{ id, rawId: encodeBase64url(bytesOf(rawId)), type: 'public-key' },
    response: {
      clientDataJSON: encodeBase64url(bytesOf(response.clientDataJSON)),
      authenticatorData: encodeBase64url(bytesOf(response.authenticatorData)),
      signature: encodeBase64url(bytesOf(response.signature)),
      userHandle: userHandle === '' ? null : userHandle,
    },
  };
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError('a field is not binary');
}

/** Checks the form of an assertion that came through the page. Undefined if it is malformed. */
export function readAssertion(value: unknown): Assertion | undefined {
  if (!isFields(value) || !isFields(value.response) || value.type !== 'public-key') return undefined;
  const { id, rawId } = value;
  const { clientDataJSON, authenticatorData, signature, userHandle } = value.response;
  if (!isEncoded(id) || !isEncoded(rawId)) return undefined;
  if (!isEncoded(clientDataJSON) || !isEncoded(authenticatorData) || !isEncoded(signature)) return undefined;
  if (userHandle !== null && !isEncoded(userHandle)) return undefined;
  return {
    ...{ id, rawId, type: 'public-key' },
    response: { clientDataJSON, authenticatorData, signature, userHandle },
  };
}

function isEncoded(value: unknown): value is string {
  return isText(value, LONGEST_FIELD) && /^[A-Za-z0-9_-]+$/.test(value);
}
