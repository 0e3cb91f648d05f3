/**
 * Why there is no connection through a proxy. `unreachable`: its name or address leads nowhere, or what answers is not a
 * proxy. `auth`: it does not accept the credentials, or wants some. `refused`: it does not connect to the server, or
 * not to the right one. `timeout`: the connection was not there in time.
 */
export type ProxyErrorKind = 'unreachable' | 'auth' | 'refused' | 'timeout';

/** All messages, so that none can contain an address, a name or a password. */
const MESSAGES = {
  unreachable: 'The proxy cannot be reached.',
  forbidden: 'The proxy has an address that the cluster does not connect to.',
  'no-proxy': 'What answers at the proxy’s address is not such a proxy.',
  auth: 'The proxy does not accept the credentials.',
  refused: 'The proxy does not connect to the server.',
  'bad-target': 'A proxy cannot be asked for a server of this name.',
  impostor: 'What answers through the proxy is not the server: there is no TLS with a valid certificate.',
  timeout: 'There was no connection through the proxy in time.',
  closed: 'The connection through the proxy was given up.',
} as const;

type ProxyErrorReason = keyof typeof MESSAGES;

const KINDS: Readonly<Record<ProxyErrorReason, ProxyErrorKind>> = {
  unreachable: 'unreachable',
  forbidden: 'unreachable',
  'no-proxy': 'unreachable',
  auth: 'auth',
  refused: 'refused',
  'bad-target': 'refused',
  impostor: 'refused',
  timeout: 'timeout',
  closed: 'unreachable',
};

/**
 * There is no connection through the proxy. The error says nothing of the proxy's address or credentials, and has no
 * cause that could.
 */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code = 'EPROXY';
  readonly kind: ProxyErrorKind;

  constructor(reason: ProxyErrorReason) {
    super(MESSAGES[reason]);
    this.kind = KINDS[reason];
  }
}

/** How deep libraries wrap an error, at most. */
const DEPTH = 5;

/** Finds the ProxyError in an error of a library that wraps it, as its `cause` or its `data`. */
export function proxyErrorIn(error: unknown, depth = DEPTH): ProxyError | undefined {
  if (error instanceof ProxyError) return error;
  if (!(error instanceof Error) || depth === 0) return undefined;
  const inner = 'data' in error && error.data instanceof Error ? error.data : error.cause;
  return proxyErrorIn(inner, depth - 1);
}
