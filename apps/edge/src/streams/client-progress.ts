import type { ResumePoint, ResumeRef } from '@wafleet/store';
import type { SocketWriter } from '../fanout/socket-writer.js';
import type { SocketStream } from './socket-stream.js';

interface ClientProgressOptions {
  readonly ref: ResumeRef;
  readonly stream: SocketStream;
  readonly writer: SocketWriter;
}

/**
 * How far a Socket.IO client has got for certain, which is what it goes on from when it comes back: the position, and
 * whether it has been introduced, which is to say told how its sessions are. Introductions come one after the other.
 */
export class ClientProgress {
  readonly ref: ResumeRef;
  readonly #stream: SocketStream;
  readonly #writer: SocketWriter;
  /** Introductions that have begun, of those that were written whole, and of those that have arrived; by number. */
  #begun = 0;
  #written = 0;
  #arrived = 0;
  /** Which introduction the answers to the pings under way will prove; they come in order. */
  readonly #pinged: number[] = [];

  constructor({ ref, stream, writer }: ClientProgressOptions) {
    this.ref = ref;
    this.#stream = stream;
    this.#writer = writer;
  }

  /** undefined for a client that has not subscribed. */
  get point(): ResumePoint | undefined {
    const position = this.#stream.provenPosition;
    return position && { position, isIntroduced: this.#arrived === this.#begun };
  }

  /** The client is going to be introduced. Until that is known to have arrived it is not, and is so again elsewhere. */
  beginIntroduction(): void {
    this.#begun += 1;
  }

  /** All of the introduction has been given to the writer. */
  endIntroduction(): void {
    this.#written = this.#begun;
  }

  /** A ping is about to be sent: notes what its answer will prove. */
  pinging(): void {
    this.#stream.pinging();
    // That it waits behind something else costs no more than another ping.
    this.#pinged.push(this.#writer.isEmpty ? this.#written : 0);
  }

  /** The answer to the first ping under way came. Returns whether it proved anything new. */
  ponged(): boolean {
    const hasAdvanced = this.#stream.ponged();
    const arrived = this.#pinged.shift() ?? 0;
    if (arrived <= this.#arrived) return hasAdvanced;
    this.#arrived = arrived;
    return true;
  }
}
