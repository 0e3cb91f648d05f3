import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AddressRules } from './address-rules.js';
import type { EgressProxy, ProxyKind } from './egress-proxy.js';
import { httpHandshake, type ProxyHandshake, socksHandshake, type TunnelTarget } from './handshakes.js';
import { dialProxy } from './proxy-dial.js';
import { ProxyError } from './proxy-error.js';

const HANDSHAKES: Readonly<Record<ProxyKind, ProxyHandshake>> = {
  http: httpHandshake,
  https: httpHandshake,
  socks5: socksHandshake,
};

export interface TunnelOptions {
  readonly proxy: EgressProxy;
  readonly rules: AddressRules;
  /** Time limit for everything together: name, TCP, TLS, credentials, the proxy's answer, TLS to the server. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust in place of Node.js' own, in PEM. */
  readonly ca?: string | undefined;
  /** Gives the tunnel up while it is being opened. */
  readonly signal: AbortSignal;
}

/** A name as certificates and SOCKS5 have it. */
const TARGET_NAME = /^[\x21-\x7e]{1,253}$/;

/**
 * Opens a connection through the proxy. With a `servername` it speaks TLS, and the server has proved that it is of that
 * name. Nothing stays open after an error.
 * @throws {ProxyError} for every failure.
 */
export async function openTunnel(
  target: TunnelTarget & { readonly servername?: string | undefined },
  { proxy, rules, timeoutMs, ca, signal }: TunnelOptions,
): Promise<Socket> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(new ProxyError('timeout')), timeoutMs);
  const giveUp = () => end.abort(new ProxyError('closed'));
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  const opened: Socket[] = [];
  try {
    const work = open(target, { proxy, rules, ca, signal: end.signal, opened });
    const socket = await inTime(work, end.signal);
    // It may have failed since it was opened, and reports that only once.
    if (socket.destroyed) throw new ProxyError('unreachable');
    return socket;
  } catch (error) {
    for (const socket of opened) socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

async function open(
  { host, port, servername }: Parameters<typeof openTunnel>[0],
  {
    proxy,
    rules,
    ca,
    signal,
    opened,
  }: Pick<TunnelOptions, 'proxy' | 'rules' | 'ca' | 'signal'> & { opened: Socket[] },
): Promise<Socket> {
  if (!TARGET_NAME.test(host)) throw new ProxyError('bad-target');
  const dialled = await dialProxy(proxy, { rules, signal, opened });
  const toProxy =
    proxy.kind === 'https' ? await secure(dialled, { host: proxy.host, ca, opened }, 'no-proxy') : dialled;
  await HANDSHAKES[proxy.kind](toProxy, proxy, { host, port });
  if (servername === undefined) return toProxy;
  return secure(toProxy, { host: servername, ca, opened }, 'impostor');
}

async function secure(
  socket: Socket,
  { host, ca, opened }: { host: string; ca: string | undefined; opened: Socket[] },
  failure: 'no-proxy' | 'impostor',
): Promise<Socket> {
  // An address is not sent as a server's name (RFC 6066, 3), and is checked all the same.
  const secured = connectTls({ socket, host, servername: isIP(host) === 0 ? host : '', ca });
  secured.on('error', () => {});
  opened.push(secured);
  try {
    await once(secured, 'secureConnect');
    return secured;
  } catch {
    throw new ProxyError(failure);
  }
}

/** Rejects with the signal's reason as soon as it aborts. What the work does afterwards is ignored. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(signal.reason);
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
    if (signal.aborted) late();
  });
}
