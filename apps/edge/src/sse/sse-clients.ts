import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type CloseReason, WafleetError } from '@wafleet/contract';
import type { Identity } from '../access/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { Backlog } from '../fanout/backlog.js';
import type { WriterLimits } from '../fanout/bounded-writer.js';
import type { BufferBudget } from '../fanout/buffer-budget.js';
import { WriteBatcher } from '../fanout/write-batcher.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Beginning } from '../streams/event-stream.js';
import type { SubscriptionSet } from '../streams/subscription-set.js';
import { SseClient, type SseClientResources } from './sse-client.js';
import { SseWriter } from './sse-writer.js';

/** Less than the time after which proxies end a silent connection, mostly 60 s. */
const HEARTBEAT_MS = 15_000;

/** The headers of an answer, in addition to those of every answer. */
const HEAD: OutgoingHttpHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Otherwise nginx would hold events back until it has a full buffer.
  'x-accel-buffering': 'no',
  // A client whose stream was ended has to come back through the load balancer, not to an edge that is stopping.
  connection: 'close',
};

interface SseResources extends SseClientResources {
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly limits: WriterLimits;
  /** What waits for all clients of the edge together. */
  readonly buffers: BufferBudget;
  readonly admit: ConnectionLimits['admit'];
  /** How often a client is shown that the connection is alive. Default: 15 s. */
  readonly heartbeatMs?: number;
}

interface SseRequest extends Beginning {
  readonly identity: Identity;
  readonly subscription: SubscriptionSet;
  readonly response: ServerResponse;
  /** Called when nothing can be refused any more: from then on only the stream writes the response. */
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
   * Answers a request with a stream, until the client leaves or is closed. Resolves when the client has been given what
   * it missed, or is gone.
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
    // Always emitted, even after an error's answer.
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

  /** Ends all streams and starts no more. Clients connect again, elsewhere. */
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
    const onOverflow = (backlog: Backlog) => {
      this.#close(client, 'SLOW_CLIENT');
      logger.warn({ keyId, tenantId, ...backlog }, 'closed a stream whose client does not read its events');
    };
    return new SseWriter({ response, limits, rounds: this.#rounds, onOverflow }, buffers.of(tenantId));
  }
}
