import type { CloseReason } from '@wafleet/contract';
import type { Identity } from '../access/identity.js';
import type { Connection } from '../engine/connection.js';
import type { EventNamespace } from '../fanout/encoded-event.js';
import type { FrameLimit } from '../limits/frame-limit.js';
import { closeConnection } from './close-connection.js';
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
  /** The identity of the API key that it was entered with. */
  readonly identity: Identity;
}

/** What is known of a client's connection while it is open. A connection has several namespaces if the client wants. */
export class ClientConnection {
  readonly gate: FrameGate;
  readonly address: string;
  readonly #connection: Connection;
  readonly #frames: FrameLimit;
  readonly #onClosed: (reason: CloseReason) => void;
  /**
   * The namespaces that have let the client in. A list, since there is usually one, and a map takes twice the memory.
   */
  #entered: readonly Entered[] = [];
  /** Actions that run when the connection ends. */
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

  /** Notes that the client asks for a namespace. Returns whether it is the first one. */
  beginHandshake(): boolean {
    this.#handshakes += 1;
    return this.#handshakes === 1;
  }

  /**
   * Counts something that the client sent, of any kind. Closes the connection if that is more than the client may send.
   */
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
   * Registers an action for the end of the connection, if it has not ended.
   * @returns a function that removes the action.
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

  /**
   * Ends the connection and reports the reason to all its namespaces. If `isCut`, ends it at once, without the reason.
   */
  close(reason: CloseReason, { isCut = false } = {}): void {
    this.#close(reason, this.#entered, isCut);
  }

  /**
   * Ends the connection and reports the reason to its namespaces that use the key; the keys of the others did not end.
   */
  closeForKey(reason: CloseReason, keyId: string): void {
    this.#close(
      reason,
      this.#entered.filter(({ identity }) => identity.keyId === keyId),
    );
  }

  #close(reason: CloseReason, reported: readonly Entered[], isCut = false): void {
    if (this.#connection.readyState !== 'open') return;
    this.#onClosed(reason);
    closeConnection(
      this.#connection,
      reason,
      reported.map(({ namespace }) => namespace),
      isCut,
    );
  }
}
