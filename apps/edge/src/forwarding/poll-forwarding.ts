import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { type ConnectionTimeouts, type Logger, type RefusalAnswer, refuseSocket } from '@wafleet/runtime';
import { EDGE_LIFE_MS, type EdgeRegistry, type PeerAddress } from '@wafleet/store';
import { refusalOf } from '../errors/error-answers.js';
import type { AllowedOrigins } from '../http/origins.js';
import { type RequestListeners, stepBetween } from '../http/request-listeners.js';
import { sessionOwner } from './connection-owner.js';
import { Forwarder, type Outcome } from './forwarder.js';
import { ForwardingAlerts } from './forwarding-alerts.js';
import { PeerDirectory } from './peer-directory.js';
import { type PeerServer, startPeerServer } from './peer-server.js';
import { REFUSALS, type Refusal, refuseRequest, refuseUpgrade } from './refusal.js';

/** The methods of Engine.IO. Any edge can answer the OPTIONS requests of browsers. */
const FORWARDED_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'POST']);

export interface PeersOptions {
  readonly edgeId: string;
  /** The server that clients reach, with Socket.IO attached. */
  readonly http: Server;
  readonly registry: EdgeRegistry;
  /** Where other edges reach this one; undefined when they cannot. */
  readonly listenOn: { readonly host: string; readonly port: number } | undefined;
  readonly origins: AllowedOrigins;
  /** Counts a look-up in Redis for a request. Throws if its address has made too many. */
  readonly countLookup: (request: IncomingMessage) => void;
  readonly timeouts?: ConnectionTimeouts | undefined;
  /** How many connections other edges may have to this one. */
  readonly maxConnections: number;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly logger: Logger;
}

/**
 * Lets a load balancer send each request of an HTTP long-polling client to any edge. An Engine.IO session lives in the
 * memory of one edge, and its id names that edge. The others forward its requests to that edge, and its WebSocket too
 * when it upgrades. Only edges that are registered in Redis are ever contacted, whatever a request names, and each
 * request is forwarded once. A request that cannot be forwarded is refused with a sentence that states the reason, and
 * the client connects again.
 */
export class PollForwarding {
  readonly #options: PeersOptions;
  readonly #directory: PeerDirectory;
  readonly #forwarder = new Forwarder();
  readonly #alarm: ForwardingAlerts;
  readonly #local: RequestListeners;
  #server: PeerServer | undefined;
  #registering: NodeJS.Timeout | undefined;
  #isEnding = false;

  /** Puts itself between the HTTP server and its current listeners. */
  constructor(options: PeersOptions) {
    this.#options = options;
    this.#directory = new PeerDirectory(options.registry);
    this.#alarm = new ForwardingAlerts(options.logger);
    this.#local = stepBetween(options.http, {
      request: (request, response) => this.#request(request, response),
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
    });
  }

  /** @throws {StartError} if the address for other edges cannot be bound. */
  async start(): Promise<void> {
    const { edgeId, listenOn, timeouts, maxConnections, logger } = this.#options;
    if (listenOn !== undefined) {
      this.#server = await startPeerServer({
        ...{ edgeId, ...listenOn, local: this.#local, maxConnections },
        ...(timeouts === undefined ? {} : { timeouts }),
      });
      const { host, port } = this.#server.address;
      logger.info({ host, port }, 'taking requests of other edges');
    }
    await this.#register();
    const again = () => {
      this.#register().catch((error: unknown) =>
        logger.debug({ err: error }, 'could not register this edge'),
      );
    };
    this.#registering = setInterval(again, EDGE_LIFE_MS / 3);
  }

  /**
   * Lets the HTTP server come to an end. Connections are closed after the request that is under way. WebSockets that
   * pass through this edge are cut, and their clients connect elsewhere.
   */
  end(): void {
    this.#isEnding = true;
    this.#forwarder.end();
  }

  /** Takes no more requests of other edges, and forwards none. */
  async stop(): Promise<void> {
    clearInterval(this.#registering);
    const { registry, edgeId, logger } = this.#options;
    await registry.remove(edgeId).catch((error: unknown) => {
      logger.debug({ err: error }, 'could not deregister this edge; its registration expires');
    });
    await this.#server?.close();
    await this.#forwarder.close();
  }

  async #register(): Promise<void> {
    const { registry, edgeId } = this.#options;
    await registry.register(edgeId, this.#server === undefined ? {} : { peerAddress: this.#server.address });
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isEnding) response.setHeader('connection', 'close');
    const owner = this.#otherOwner(request);
    if (owner === undefined || !FORWARDED_METHODS.has(request.method)) {
      this.#local.request(request, response);
      return;
    }
    const excess = this.#countLookup(owner, request);
    if (excess !== undefined) {
      response.writeHead(excess.status, { ...excess.headers, connection: 'close' }).end(excess.body);
      return;
    }
    void this.#handOn(owner, {
      to: (peer) => this.#forwarder.forward(peer, request, response),
      refuse: (refusal) => refuseRequest(request, response, refusal, this.#options.origins),
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const owner = this.#otherOwner(request);
    if (owner === undefined) {
      this.#local.upgrade(request, socket, head);
      return;
    }
    const excess = this.#countLookup(owner, request);
    if (excess !== undefined) {
      refuseSocket(socket, excess);
      return;
    }
    void this.#handOn(owner, {
      to: (peer) => this.#forwarder.forwardUpgrade(peer, request, head),
      refuse: (refusal) => refuseUpgrade(socket, refusal),
    });
  }

  /** The edge that has the session of a request, unless it is this edge. */
  #otherOwner(request: IncomingMessage): string | undefined {
    const owner = sessionOwner(request);
    return owner === this.#options.edgeId ? undefined : owner;
  }

  /**
   * Bounds the reads of Redis that made-up names of edges cost. Returns the refusal of the request if there are too
   * many.
   */
  #countLookup(owner: string, request: IncomingMessage): Required<RefusalAnswer> | undefined {
    if (this.#directory.knows(owner)) return undefined;
    try {
      this.#options.countLookup(request);
      return undefined;
    } catch (error) {
      if (error instanceof WafleetError) return refusalOf(error, request);
      throw error;
    }
  }

  async #handOn(
    owner: string,
    { to, refuse }: { to: (peer: PeerAddress) => Promise<Outcome>; refuse: (refusal: Refusal) => void },
  ): Promise<void> {
    const peer = await this.#find(owner);
    let outcome = typeof peer === 'string' ? peer : await to(peer);
    if (outcome === 'unreachable') {
      this.#directory.forget(owner);
      if ((await this.#find(owner)) === 'ended') outcome = 'ended';
    }
    this.#options.onOutcome(outcome);
    this.#alarm.note(owner, outcome);
    if (isRefusal(outcome)) refuse(outcome);
  }

  async #find(owner: string): Promise<PeerAddress | Refusal> {
    try {
      const registration = await this.#directory.find(owner);
      return registration === undefined ? 'ended' : (registration.peerAddress ?? 'unconfigured');
    } catch {
      return 'unavailable';
    }
  }
}

function isRefusal(outcome: Outcome): outcome is Refusal {
  return outcome in REFUSALS;
}
