import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isRequestId, REQUEST_ID_HEADER } from '@wafleet/contract';

/** The header that many proxies set. */
const PROXY_HEADER = 'x-request-id';

const ids = new WeakMap<IncomingMessage, string>();

/**
 * The id of a request: its header `Request-Id`, else `X-Request-Id`, if that is well formed; otherwise a new one. The
 * same for each call with the request.
 */
export function requestIdOf(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = [request.headers[REQUEST_ID_HEADER], request.headers[PROXY_HEADER]].find(
    (value) => typeof value === 'string' && isRequestId(value),
  );
  const id = typeof given === 'string' ? given : newRequestId();
  ids.set(request, id);
  return id;
}

/** A UUID of version 7 (RFC 9562): such ids sort by when they were made. */
export function newRequestId(): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
