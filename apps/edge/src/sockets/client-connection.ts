import type { CloseReason } from '@wafleet/contract';
import type { EventNamespace } from '../fanout/encoded-event.js';
import { closeConnection } from './close-connection.js';
import type { Connection } from './engine-internals.js';
import type { FrameGate } from './frame-gate.js';

interface ClientConnectionOptions {
  readonly connection: Connection;
  readonly gate: FrameGate;
  readonly address: string;
  readonly onClosed: (reason: CloseReason) => void;
}

/** What is known of a client's connection as long as it is there: one has several namespaces, if the client likes. */
export class ClientConnection {
  readonly gate: FrameGate;
  readonly address: string;
  readonly #options: ClientConnectionOptions;
  /** The API keys of the namespaces that have let it in. */
  readonly #keyIds = new Map<EventNamespace, string>();
  #handshakes = 0;

  constructor(options: ClientConnectionOptions) {
    this.#options = options;
    this.gate = options.gate;
    this.address = options.address;
  }

  /** Notes that it asks for a namespace. Returns whether that is the first one. */
  beginHandshake(): boolean {
    this.#handshakes += 1;
    return this.#handshakes === 1;
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
    const { connection, onClosed } = this.#options;
    if (connection.readyState !== 'open') return;
    onClosed(reason);
    closeConnection(connection, reason, namespaces);
  }
}
