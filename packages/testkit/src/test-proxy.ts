import { connect, createServer, type Server, type Socket } from 'node:net';
import { joinSockets } from './join-sockets.js';
import { tellObservers } from './observers.js';
import { readConnectRequest, readSocksRequest, type TunnelRequest } from './tunnel-requests.js';

/**
 * What is wrong with a proxy. A number: it answers each request with this HTTP status; a SOCKS proxy with its own form
 * of it (403: not allowed, others: connection refused). `silent`: it accepts connections and
 * says nothing. `rst`, `garbage`: it resets them, or answers with something else, after the first bytes.
 * `cutAfterMs`, `freezeAfterMs`: an open tunnel breaks, or stands still, after this time.
 */
export type ProxyFault =
  | number
  | 'silent'
  | 'rst'
  | 'garbage'
  | { readonly cutAfterMs: number }
  | { readonly freezeAfterMs: number };

export interface TestProxyOptions {
  readonly kind: 'http' | 'socks5';
  /** The address that its connections to servers come from: one of 127.0.0.0/8, on Linux. Default: 127.0.0.2. */
  readonly from?: string;
  /** What it requires. Default: nothing. */
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly fault?: ProxyFault;
  /** Where names lead that only the proxy knows: `mmg.whatsapp.net:443` to `127.0.0.1:8080`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** A proxy of 127.0.0.1 that connects from another address, so that servers can tell who came through it. */
export class TestProxy {
  readonly #options: TestProxyOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #targets: string[] = [];
  #fault: ProxyFault | undefined;
  #port = 0;

  /** Use `startProxy`. */
  constructor(options: TestProxyOptions) {
    this.#options = options;
    this.#fault = options.fault;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  /** Its URL, with the credentials that it requires, or with others. */
  url(
    { username, password }: { username?: string; password?: string } = this.#options.credentials ?? {},
  ): string {
    const user =
      username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password ?? '')}@`;
    return `${this.#options.kind}://${user}127.0.0.1:${this.#port}`;
  }

  /** `host:port` of everything that it was asked to connect to, oldest first, as it was asked. */
  get targets(): readonly string[] {
    return this.#targets;
  }

  /** How many connections clients have to it. */
  get connections(): number {
    return this.#open.size;
  }

  /** What is wrong with it from now on; undefined: nothing. Holds for new connections. */
  setFault(fault: ProxyFault | undefined): void {
    this.#fault = fault;
  }

  /** Listens, on the same port as before. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.#port = address.port;
  }

  /** Breaks all connections and refuses new ones, until `start`. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.#open) client.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    this.#open.add(client);
    client.once('close', () => this.#open.delete(client));
    client.on('error', () => client.destroy());
    const fault = this.#fault;
    if (fault === 'silent') {
      client.resume();
    } else if (fault === 'rst') {
      client.once('data', () => client.resetAndDestroy());
    } else if (fault === 'garbage') {
      client.once('data', () => client.end('SSH-2.0-OpenSSH_9.9\r\n'));
    } else {
      const read = this.#options.kind === 'http' ? readConnectRequest : readSocksRequest;
      read(client, this.#options.credentials).then(
        (request) => this.#serve(client, request, fault),
        () => client.destroy(),
      );
    }
  }

  #serve(client: Socket, request: TunnelRequest | undefined, fault: ProxyFault | undefined): void {
    if (request === undefined) return;
    this.#targets.push(request.target);
    if (typeof fault === 'number') {
      request.refuse(fault);
      return;
    }
    const { names = {}, from = '127.0.0.2' } = this.#options;
    const { hostname, port } = new URL(`tcp://${names[request.target] ?? request.target}`);
    const server = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      localAddress: from,
    });
    server.once('error', () => request.refuse(502));
    server.once('connect', () => {
      request.accept();
      joinSockets(client, server);
      if (typeof fault === 'object') this.#breakLater(client, server, fault);
    });
    client.once('close', () => server.destroy());
  }

  #breakLater(client: Socket, server: Socket, fault: Exclude<ProxyFault, number | string>): void {
    const timer = setTimeout(
      () => {
        if ('cutAfterMs' in fault) {
          client.destroy();
          return;
        }
        for (const socket of [client, server]) {
          socket.unpipe();
          socket.pause();
        }
      },
      'cutAfterMs' in fault ? fault.cutAfterMs : fault.freezeAfterMs,
    );
    client.once('close', () => clearTimeout(timer));
  }
}

/** Starts a proxy. Its password is a secret of the test: nothing that a process writes may contain it. */
export async function startProxy(options: TestProxyOptions): Promise<TestProxy> {
  const proxy = new TestProxy(options);
  await proxy.start();
  const { credentials } = options;
  if (credentials !== undefined) {
    tellObservers((observer) =>
      observer.secretMade?.({ name: 'the password of a proxy', value: credentials.password }),
    );
  }
  return proxy;
}
