import type { IncomingHttpHeaders } from 'node:http';

/** Whether a text has the form of an API key, and so is not a guess of the admin token. */
export function isApiKey(key: string): boolean {
  return /^wf_[\w-]{43}$/.test(key);
}

/** The token of an `Authorization: Bearer` header; undefined when there is none. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** The API key that a request's headers carry. `X-Api-Key` wins over `Authorization: Bearer`. */
export function apiKeyOfHeaders(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') return key;
  return bearerToken(headers);
}

/** The API key of a Socket.IO handshake: `auth.token`, or else the one in the headers. */
export function apiKeyOfHandshake(handshake: {
  readonly auth: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}): string | undefined {
  const { token } = handshake.auth;
  return typeof token === 'string' && token !== '' ? token : apiKeyOfHeaders(handshake.headers);
}
