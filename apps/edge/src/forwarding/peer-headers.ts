import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What one edge shows to another one, so that it is let in. Clients never see it, and theirs is never passed on. */
export const PEER_TOKEN_HEADER = 'x-wafleet-peer-token';

/** What is read of a request that belongs to a session, by Engine.IO and by us. API keys are not among it: the handshake had them. */
const FORWARDED = [
  'accept',
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'user-agent',
  'x-request-id',
];

const FORWARDED_WITH_BODY = ['content-length', 'content-type'];

/** Those that end at the next hop (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers with which a client's request is handed to another edge. */
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

/** The headers of another edge's answer that are for the client. */
export function answeredHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || HOP_BY_HOP.has(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
