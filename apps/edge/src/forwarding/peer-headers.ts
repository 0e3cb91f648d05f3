import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * The token that one edge shows to another to be let in. Clients never see it, and a client's own is never passed on.
 */
export const PEER_TOKEN_HEADER = 'x-wafleet-peer-token';

/**
 * The headers that Engine.IO and this edge read of a request that belongs to a session. API keys are not among them:
 * the handshake had them.
 */
const FORWARDED = [
  'accept',
  'origin',
  'request-id',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'user-agent',
  'x-request-id',
];

const FORWARDED_WITH_BODY = ['content-length', 'content-type'];

/** Headers that end at the next hop (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of a client's request that is forwarded to another edge. */
export function forwardedHeaders(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  token: string,
): Record<string, string> {
  const sent: Record<string, string> = { [PEER_TOKEN_HEADER]: token };
  for (const name of method === 'POST' ? [...FORWARDED, ...FORWARDED_WITH_BODY] : FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') sent[name] = value;
  }
  return sent;
}

/** The headers of another edge's answer that go to the client. */
export function answeredHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || HOP_BY_HOP.has(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
