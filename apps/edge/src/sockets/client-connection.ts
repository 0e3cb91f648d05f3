import type { CloseReason } from '@wafleet/contract';
import type { Identity } from '../auth/identity.js';
import type { EventNamespace } from '../fanout/encoded-event.js';
import type { FrameLimit } from '../limits/frame-limit.js';
import { closeConnection } from './close-connection.js';
import type { Connection } from './engine-internals.js';
import type { FrameGate } from './frame-gate.js';

interface ClientConnectionOptions {
  readonly connection: Connection;
  readonly gate: FrameGate;
  readonly frames: FrameLimit;
  readonly address: string;
  readonly onClosed: (reason: CloseReason) => void;
}

interface Entered {
  readonly namespace: EventNamespace;
  /** Whose API key it was entered with. */
  readonly identity: Identity;
}

/** What is known of a client's connection as long as it is there: one has several namespaces, if the client likes. */
export class ClientConnection {
  readonly gate: FrameGate;
  readonly address: string;
  readonly #connection: Connection;
  readonly #frames: FrameLimit;
  readonly #onClosed: (reason: CloseReason) => void;
  /** The namespaces that have let it in. A list, since it is one as a rule, and a map takes twice the memory. */
  #entered: readonly Entered[] = [];
  /** What is done when it ends. */
  #endings: readonly (() => void)[] = [];
  #handshakes = 0;

  constructor(options: ClientConnectionOptions) {
    this.#connection = options.connection;
    this.#frames = options.frames;
    this.#onClosed = options.onClosed;
    this.gate = options.gate;
    this.address = options.address;
  }

  /** The API keys that its namespaces were entered with, and their tenants. */
  get keys(): Pick<Identity, 'tenantId' | 'keyId'>[] {
    const byId = new Map(this.#entered.map(({ identity }) => [identity.keyId, identity]));
    return [...byId.values()].map(({ tenantId, keyId }) => ({ tenantId, keyId }));
  }

  /** Notes that it asks for a namespace. Returns whether that is the first one. */
  beginHandshake(): boolean {
    this.#handshakes += 1;
    return this.#handshakes === 1;
  }

  /** The client sent something, of whatever kind, which may be more than it may. */
  countFrame(data?: unknown): void {
    const reason = this.#frames.count(this.#connection, data);
    if (reason !== undefined) this.close(reason);
  }

  enter(namespace: EventNamespace, identity: Identity): void {
    this.#entered = [...this.#entered, { namespace, identity }];
  }

  leave(namespace: EventNamespace): void {
    this.#entered = this.#entered.filter((entered) => entered.namespace !== namespace);
  }

  /**
   * Has something done when the connection ends, if it has not ended.
   * @returns a function that takes that back.
   */
  whenEnded(action: () => void): () => void {
    this.#endings = [...this.#endings, action];
    return () => {
      this.#endings = this.#endings.filter((ending) => ending !== action);
    };
  }

  /** The connection has ended. */
  ended(): void {
    this.gate.close();
    for (const ending of this.#endings) ending();
  }

  /** Ends the connection and tells all its namespaces why; if `isCut` it ends at once, without the reason. */
  close(reason: CloseReason, { isCut = false } = {}): void {
    this.#close(reason, this.#entered, isCut);
  }

  /** Ends the connection and tells those of its namespaces why that have the key; what others have did not end. */
  closeForKey(reason: CloseReason, keyId: string): void {
    this.#close(
      reason,
      this.#entered.filter(({ identity }) => identity.keyId === keyId),
    );
  }

  #close(reason: CloseReason, told: readonly Entered[], isCut = false): void {
    if (this.#connection.readyState !== 'open') return;
    this.#onClosed(reason);
    closeConnection(
      this.#connection,
      reason,
      told.map(({ namespace }) => namespace),
      isCut,
    );
  }
}
