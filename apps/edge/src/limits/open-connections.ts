import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { refuseSocket } from '@wafleet/runtime';
import { refusalOf } from '../errors/error-answers.js';
import { stepBetween } from '../http/request-listeners.js';
import type { ClientAddresses } from './client-address.js';
import type { Limit } from './client-limits.js';

/** How many connections over a limit are kept for a moment, to get the reason or to check the edge's health. */
const MAX_SURPLUS = 64;
/** How long such a connection may take to send its request. */
const SURPLUS_LIFE_MS = 2_000;
const RETRY_AFTER_MS = 5_000;
/** Paths that are answered even at the limit, so that a flood does not look like a failed edge. */
const HEALTH_PATHS: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

interface OpenConnectionsOptions {
  readonly addresses: ClientAddresses;
  /** Connections of all clients. */
  readonly total: number;
  /** Connections of one address. */
  readonly perAddress: number;
  readonly onExceeded: (limit: Limit) => void;
}

/**
 * Bounds how many connections clients have open to this edge, in total and per address. A connection through a trusted
 * proxy counts for the client of each request that it carries, while that request is under way. A connection over a
 * limit gets status 429 for its first request, except for health checks, and is closed.
 */
export class OpenConnections {
  readonly #options: OpenConnectionsOptions;
  /** Connections made by an address itself, and requests by way of proxies. */
  readonly #perAddress = new Map<string, number>();
  /** Connections over a limit, the oldest first, with the limit. */
  readonly #surplus = new Map<Socket, Limit>();
  #total = 0;

  constructor(options: OpenConnectionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#total;
  }

  /** Starts to guard. Call it once all listeners of the server for requests and upgrades are there. */
  guard(server: Server): void {
    server.prependListener('connection', (socket: Socket) => this.#opened(socket));
    const local = stepBetween(server, {
      request: (request, response) => {
        const refusal = this.#refusal(request, response);
        if (refusal === undefined) local.request(request, response);
        else refuseRequest(request, response, refusal);
      },
      upgrade: (request, socket, head) => {
        const refusal = this.#refusal(request, socket);
        if (refusal === undefined) local.upgrade(request, socket, head);
        else refuseSocket(socket, refusalOf(refusal, request));
      },
    });
  }

  #opened(socket: Socket): void {
    this.#total += 1;
    socket.once('close', () => {
      this.#total -= 1;
    });
    const { addresses, total, perAddress } = this.#options;
    const address = addresses.ofConnection(socket);
    const own = address === undefined ? 0 : this.#count(address, socket);
    if (own > perAddress) this.#tooMany(socket, 'connections_per_address');
    else if (this.#total > total) this.#tooMany(socket, 'connections');
  }

  #tooMany(socket: Socket, limit: Limit): void {
    this.#options.onExceeded(limit);
    this.#surplus.set(socket, limit);
    const cutting = setTimeout(() => socket.destroy(), SURPLUS_LIFE_MS);
    socket.once('close', () => {
      clearTimeout(cutting);
      this.#surplus.delete(socket);
    });
    if (this.#surplus.size <= MAX_SURPLUS) return;
    const [oldest] = this.#surplus.keys();
    if (oldest === undefined) return;
    this.#surplus.delete(oldest);
    oldest.destroy();
  }

  /** Why a request is refused; undefined for a request that is served, which counts until `until` is closed. */
  #refusal(request: IncomingMessage, until: ServerResponse | Duplex): WafleetError | undefined {
    const { socket, url } = request;
    const { addresses, perAddress } = this.#options;
    const exceeded = this.#surplus.get(socket);
    if (exceeded !== undefined) {
      if (!HEALTH_PATHS.has(url) || !('setHeader' in until)) return this.#error(exceeded);
      until.setHeader('connection', 'close');
      return undefined;
    }
    if (addresses.ofConnection(socket) !== undefined) return undefined;
    if (this.#count(addresses.of(request), until) <= perAddress || HEALTH_PATHS.has(url)) return undefined;
    this.#options.onExceeded('connections_per_address');
    return this.#error('connections_per_address');
  }

  #error(exceeded: Limit): WafleetError {
    const { total, perAddress } = this.#options;
    const isOfAddress = exceeded === 'connections_per_address';
    const limit = isOfAddress ? perAddress : total;
    const who = isOfAddress ? 'Your address' : 'This edge';
    const message = `${who} has ${limit} connections, which is the limit.`;
    return new WafleetError('TOO_MANY_CONNECTIONS', message, {
      resource: exceeded,
      limit,
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /** Counts one more for an address until `until` is closed. Returns how many there are. */
  #count(address: string, until: ServerResponse | Duplex): number {
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    this.#perAddress.set(address, count);
    until.once('close', () => {
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    return count;
  }
}

function refuseRequest(request: IncomingMessage, response: ServerResponse, error: WafleetError): void {
  const { status, headers, body } = refusalOf(error, request);
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
}
