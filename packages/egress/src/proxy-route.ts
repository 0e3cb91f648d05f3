import { setMaxListeners } from 'node:events';
import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Agent as Dispatcher } from 'undici';
import type { AddressRules } from './address-rules.js';
import type { EgressProxy } from './egress-proxy.js';
import { withPausedParser } from './paused-parsers.js';
import { openTunnel } from './tunnel.js';

const CONNECT_MS = 15_000;
/** More requests of one session at a time wait for each other. */
const CONNECTIONS = 8;

export interface ProxyRouteOptions {
  /** Which addresses the proxy may have. */
  readonly rules: AddressRules;
  /** How long a connection through the proxy may take, with TLS to the server. Default: 15 s. */
  readonly timeoutMs?: number | undefined;
  /** Certificate authorities to trust in place of Node.js' own, in PEM. */
  readonly ca?: string | undefined;
  /** Time limits for answers, as undici has them. Default: undici's own. */
  readonly answers?: { readonly headersTimeout?: number; readonly bodyTimeout?: number };
}

type OpenConnection = (target: {
  host: string;
  port: number;
  servername: string | undefined;
}) => Promise<Socket>;

/**
 * The way to servers through one proxy, for every library that Wafleet makes connections with. Each connection goes
 * through the proxy, which also resolves the server's name, or fails with a ProxyError; there is no other way out of
 * these agents. Variables such as HTTPS_PROXY have no effect on them.
 */
export class ProxyRoute {
  /** For `http:` and `ws:`. */
  readonly httpAgent: HttpAgent & Pick<HttpsAgent, 'options'>;
  /** For `https:` and `wss:`. */
  readonly httpsAgent: HttpsAgent;
  /** For undici and `fetch`, which take no agents. */
  readonly dispatcher: Dispatcher;
  readonly #closing = new AbortController();

  constructor(proxy: EgressProxy, { rules, timeoutMs = CONNECT_MS, ca, answers }: ProxyRouteOptions) {
    const { signal } = this.#closing;
    // Each connection that is being opened listens.
    setMaxListeners(0, signal);
    const open: OpenConnection = (target) => openTunnel(target, { proxy, rules, timeoutMs, ca, signal });
    this.httpAgent = new HttpTunnels(open);
    this.httpsAgent = new HttpsTunnels(open);
    this.dispatcher = new Dispatcher({
      ...answers,
      connections: CONNECTIONS,
      connect: ({ hostname, port, protocol, servername }, callback) => {
        const isSecure = protocol === 'https:';
        const host = withoutBrackets(hostname);
        open({
          host,
          port: Number(port) || (isSecure ? 443 : 80),
          servername: isSecure ? (servername ?? host) : undefined,
        }).then(
          (socket) => callback(null, withPausedParser(socket)),
          (error: Error) => callback(error, null),
        );
      },
    });
  }

  /** Ends all connections at once, those too that are being opened. */
  close(): void {
    this.#closing.abort();
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
    void this.dispatcher.destroy();
  }
}

class HttpTunnels extends HttpAgent {
  /** Agents of both kinds have it. Node.js' types leave it out here, and libraries' types ask for it. */
  declare readonly options: HttpsAgent['options'];
  readonly #open: OpenConnection;

  constructor(open: OpenConnection) {
    super({ keepAlive: false, maxSockets: CONNECTIONS });
    this.#open = open;
  }

  override createConnection({ host, port }: ClientRequestArgs, callback?: Created): undefined {
    const target = { host: withoutBrackets(host ?? ''), port: Number(port ?? 80), servername: undefined };
    handOver(this.#open(target), callback);
  }
}

class HttpsTunnels extends HttpsAgent {
  readonly #open: OpenConnection;

  constructor(open: OpenConnection) {
    super({ keepAlive: false, maxSockets: CONNECTIONS });
    this.#open = open;
  }

  override createConnection(options: ClientRequestArgs, callback?: Created): undefined {
    const host = withoutBrackets(options.host ?? '');
    handOver(this.#open({ host, port: Number(options.port ?? 443), servername: host }), callback);
  }
}

type Created = (error: Error | null, stream: Duplex) => void;

function handOver(opening: Promise<Socket>, callback: Created | undefined): void {
  opening.then(
    (socket) => callback?.(null, socket),
    // Node.js ignores the second argument of a failure.
    (error: Error) => callback?.(error, new Socket()),
  );
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
