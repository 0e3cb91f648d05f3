import { request } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SocksClient } from 'socks';
import type { EgressProxy } from './egress-proxy.js';
import { ProxyError } from './proxy-error.js';

/** The server at the other end of a tunnel. The proxy resolves its name. */
export interface TunnelTarget {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Asks the proxy for a connection to the target, over an open connection to the proxy. @throws {ProxyError} */
export type ProxyHandshake = (socket: Socket, proxy: EgressProxy, target: TunnelTarget) => Promise<void>;

const AUTH_REQUIRED = 407;

/** HTTP CONNECT (RFC 9110, 9.3.6). Node.js' own HTTP client reads the answer, and bounds it. */
export const httpHandshake: ProxyHandshake = (socket, proxy, { host, port }) => {
  const credentials = proxy.readCredentials();
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const headers: Record<string, string> = { host: authority };
  if (credentials !== undefined) {
    const pair = Buffer.from(`${credentials.username}:${credentials.password}`);
    headers['proxy-authorization'] = `Basic ${pair.toString('base64')}`;
  }
  return new Promise((resolve, reject) => {
    const ask = request({ method: 'CONNECT', path: authority, headers, createConnection: () => socket });
    ask.once('connect', ({ statusCode = 0 }, _socket: Duplex, early: Buffer) => {
      // The server may have spoken already.
      if (early.length > 0) socket.unshift(early);
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new ProxyError(statusCode === AUTH_REQUIRED ? 'auth' : 'refused'));
    });
    ask.once('response', () => reject(new ProxyError('no-proxy')));
    ask.on('error', () => reject(new ProxyError('no-proxy')));
    ask.end();
  });
};

/** How the messages of the SOCKS library begin or end that say what the proxy has answered. It has no codes. */
const SOCKS_ANSWERS = [
  [/^Socks5 Authentication failed/, 'auth'],
  [/\((no accepted|unknown) authentication type\)$/, 'auth'],
  [/^Socks5 proxy rejected connection/, 'refused'],
] as const;

/** SOCKS5 (RFC 1928, 1929). The library's own time limit is longer than that of a tunnel, which destroys the socket. */
export const socksHandshake: ProxyHandshake = async (socket, proxy, target) => {
  const { host, port } = proxy;
  const credentials = proxy.readCredentials();
  try {
    await SocksClient.createConnection({
      command: 'connect',
      destination: { host: target.host, port: target.port },
      existing_socket: socket,
      proxy: {
        ...{ host, port, type: 5 },
        ...(credentials && { userId: credentials.username, password: credentials.password }),
      },
    });
  } catch (error) {
    // The library's error has the credentials.
    const message = error instanceof Error ? error.message : '';
    const [, reason] = SOCKS_ANSWERS.find(([pattern]) => pattern.test(message)) ?? [];
    throw new ProxyError(reason ?? 'no-proxy');
  }
};
