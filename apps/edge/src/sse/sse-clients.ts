import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type CloseReason, WafleetError } from '@wafleet/contract';
import type { Identity } from '../auth/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { BufferBudget } from '../fanout/buffer-budget.js';
import type { WriterLimits } from '../fanout/socket-writer.js';
import { WriteBatcher } from '../fanout/write-batcher.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Beginning } from '../streams/event-stream.js';
import type { SubscriptionSet } from '../streams/subscription-set.js';
import { SseClient, type SseClientResources } from './sse-client.js';
import { SseWriter } from './sse-writer.js';

/** Less than the time after which proxies end a connection on which nothing comes, mostly 60 s. */
const HEARTBEAT_MS = 15_000;

/** The head of an answer, besides what every answer has. */
const HEAD: OutgoingHttpHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would keep events back until it has a buffer full.
  'x-accel-buffering': 'no',
  // A client whose stream was ended is to come back through the load balancer, not to an edge that stops.
  connection: 'close',
};

interface SseResources extends SseClientResources {
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly limits: WriterLimits;
  /** What waits for the clients of the edge, together. */
  readonly buffers: BufferBudget;
  readonly admit: ConnectionLimits['admit'];
  /** How often a client is shown that the connection lives; 15 s unless given. */
  readonly heartbeatMs?: number;
}

interface SseRequest extends Beginning {
  readonly identity: Identity;
  readonly subscription: SubscriptionSet;
  readonly response: ServerResponse;
  /** Called when nothing can be refused any more: from then on nobody else writes the response. */
  readonly takeOver: () => void;
}

/** The clients of this edge that get Server-Sent Events. */
export class SseClients {
  readonly #resources: SseResources;
  readonly #rounds = new WriteBatcher();
  readonly #clients = new Set<SseClient>();
  readonly #beating: NodeJS.Timeout;
  #isClosed = false;

  constructor(resources: SseResources) {
    this.#resources = resources;
    this.#beating = setInterval(() => {
      for (const client of this.#clients) client.beat();
    }, resources.heartbeatMs ?? HEARTBEAT_MS);
  }

  /**
   * Answers a request with a stream, until the client leaves or is made to. Resolves when the client has been given
   * what it missed, or is gone.
   * @throws {WafleetError} before the answer has begun: UNAVAILABLE; UNAUTHORIZED for a key revoked meanwhile;
   * TOO_MANY_HANDSHAKES, TOO_MANY_CONNECTIONS, TOO_MANY_REPLAYS.
   */
  async serve({ identity, subscription, response, takeOver, ...beginning }: SseRequest): Promise<void> {
    this.#requireOpen();
    if (response.closed) return;
    const { keys, connections, admit, tally } = this.#resources;
    const { keyId } = identity;
    const release = await admit(identity);
    if (response.closed) {
      release();
      return;
    }
    response.once('close', release);
    const client = new SseClient(identity, this.#resources);
    // Comes in any case: after an error's answer as well.
    response.once('close', () => client.release());

    const started = await client.subscribe(subscription, beginning);
    if (response.closed) return;
    this.#requireOpen();
    if (keys.isRevoked(keyId)) throw new WafleetError('UNAUTHORIZED', 'The API key was revoked.');

    takeOver();
    response.writeHead(200, HEAD);
    client.begin(this.#writerOf(client, response, identity));
    this.#clients.add(client);
    tally.sseClients += 1;
    const leaveKey = connections.enter(identity, (reason) => this.#close(client, reason));
    response.once('close', () => {
      this.#clients.delete(client);
      tally.sseClients -= 1;
      leaveKey();
    });
    await started.proceed();
  }

  /** Ends all streams; from now on none is begun. Clients connect again, elsewhere. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#beating);
    for (const client of this.#clients) client.end();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new WafleetError('UNAVAILABLE', 'This edge is stopping. Try again.');
  }

  #close(client: SseClient, reason: CloseReason): void {
    if (client.close(reason)) this.#resources.tally.countClosed(reason);
  }

  #writerOf(client: SseClient, response: ServerResponse, { keyId, tenantId }: Identity): SseWriter {
    const { limits, buffers, logger } = this.#resources;
    return new SseWriter({
      response,
      limits,
      rounds: this.#rounds,
      buffers: buffers.of(tenantId),
      onOverflow: (backlog) => {
        this.#close(client, 'SLOW_CLIENT');
        logger.warn({ keyId, tenantId, ...backlog }, 'closed a stream whose client does not read its events');
      },
    });
  }
}
