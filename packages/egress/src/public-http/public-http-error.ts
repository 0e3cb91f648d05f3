/** All messages, so that none can contain a part of an address. */
const MESSAGES = {
  'bad-url': 'The address is not one of http:// or https:// that may be fetched.',
  'address-refused': 'The address is not a public one, and is not in FETCH_ALLOW of the edges.',
  unresolvable: 'The name of the server cannot be resolved.',
  unreachable: 'The server cannot be reached.',
  'no-tls': 'The server has no TLS with a certificate that is valid for its name.',
  timeout: 'The server did not answer in time.',
  'too-large': 'What the server sends is too large.',
  'bad-answer': 'The server broke off, or what it sent is not a complete and valid answer.',
  'bad-redirect': 'The server redirects to an address that is not followed.',
  'too-many-redirects': 'The server redirects too often.',
  'http-status': 'The server refused the request.',
} as const;

/**
 * Why a request to a server of the Internet failed.
 * - `bad-url`: not http or https, too long, with a user or password, or with a port of another protocol.
 * - `address-refused`: all addresses of the server are private, or otherwise not allowed.
 * - `unresolvable`, `unreachable`, `no-tls`: there is no connection.
 * - `timeout`: a time limit of the connection, the answer, its progress or the whole has passed.
 * - `too-large`: the body is larger than the caller takes; also if the server only says so.
 * - `bad-answer`: not HTTP, too many headers, fewer or more bytes than it said, or an encoding that cannot be decoded.
 * - `bad-redirect`: to an address that is a `bad-url`, or from https to http.
 * - `http-status`: the status is in `status`.
 */
export type PublicHttpErrorKind = keyof typeof MESSAGES;

/** A request to a server of the Internet failed. The message has no part of the address, and there is no cause. */
export class PublicHttpError extends Error {
  override readonly name = 'PublicHttpError';
  readonly kind: PublicHttpErrorKind;
  /** The status of the answer, if the kind is `http-status`. */
  readonly status: number | undefined;

  constructor(kind: PublicHttpErrorKind, status?: number) {
    super(status === undefined ? MESSAGES[kind] : `${MESSAGES[kind]} Its status is ${status}.`);
    this.kind = kind;
    this.status = status;
  }
}
