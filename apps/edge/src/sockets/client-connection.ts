import type { CloseReason } from '@wafleet/contract';
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

/** What is known of a client's connection as long as it is there: one has several namespaces, if the client likes. */
export class ClientConnection {
  readonly gate: FrameGate;
  readonly address: string;
  readonly #connection: Connection;
  readonly #frames: FrameLimit;
  readonly #onClosed: (reason: CloseReason) => void;
  /** The API keys of the namespaces that have let it in. */
  readonly #keyIds = new Map<EventNamespace, string>();
  #handshakes = 0;

  constructor(options: ClientConnectionOptions) {
    this.#connection = options.connection;
    this.#frames = options.frames;
    this.#onClosed = options.onClosed;
    this.gate = options.gate;
    this.address = options.address;
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

  enter(namespace: EventNamespace, keyId: string): void {
    this.#keyIds.set(namespace, keyId);
  }

  leave(namespace: EventNamespace): void {
    this.#keyIds.delete(namespace);
  }

  /** Ends the connection and tells all its namespaces why. */
  close(reason: CloseReason): void {
    this.#close(reason, [...this.#keyIds.keys()]);
  }

  /** Ends the connection and tells those of its namespaces why that have the key; what others have did not end. */
  closeForKey(reason: CloseReason, keyId: string): void {
    const concerned = [...this.#keyIds].filter(([, used]) => used === keyId);
    this.#close(
      reason,
      concerned.map(([namespace]) => namespace),
    );
  }

  #close(reason: CloseReason, namespaces: readonly EventNamespace[]): void {
    if (this.#connection.readyState !== 'open') return;
    this.#onClosed(reason);
    closeConnection(this.#connection, reason, namespaces);
  }
}
