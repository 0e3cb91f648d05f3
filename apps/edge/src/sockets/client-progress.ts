import type { EventPosition } from '@wafleet/contract';
import type { ResumePoint, ResumeRef } from '@wafleet/store';
import type { SocketWriter } from '../fanout/socket-writer.js';
import type { SocketStream } from './socket-stream.js';

interface ClientProgressOptions {
  readonly ref: ResumeRef;
  readonly stream: SocketStream;
  readonly writer: SocketWriter;
}

/** A ping under way: what its answer will prove. */
interface Ping {
  readonly position: EventPosition | undefined;
  /** The number of an introduction. */
  readonly introduction: number;
}

/** For a client without a ping under way: most clients, most of the time. */
const NO_PINGS: readonly Ping[] = [];

/**
 * How far a Socket.IO client has provably got, which is where it resumes: the position, and whether it has been
 * introduced, that is, has received the state of its sessions. Introductions come one after the other.
 */
export class ClientProgress {
  readonly ref: ResumeRef;
  readonly #stream: SocketStream;
  readonly #writer: SocketWriter;
  /** The numbers of the last introductions that have begun, that were written whole, and that have arrived. */
  #begun = 0;
  #written = 0;
  #arrived = 0;
  /** Their answers come in order. */
  #pings = NO_PINGS;

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

  /**
   * Notes that an introduction begins. The client counts as introduced only once the introduction has provably arrived;
   * until then another edge would repeat it.
   */
  beginIntroduction(): void {
    this.#begun += 1;
  }

  /** The whole introduction has been given to the writer. */
  endIntroduction(): void {
    this.#written = this.#begun;
  }

  /** A ping is about to be sent: notes what its answer will prove. */
  pinging(): void {
    const ping = {
      position: this.#stream.provable,
      // That it waits behind something else costs no more than another ping.
      introduction: this.#writer.isEmpty ? this.#written : 0,
    };
    this.#pings = [...this.#pings, ping];
  }

  /** The answer to the first ping under way came. Returns whether it proved anything new. */
  ponged(): boolean {
    const [ping, ...others] = this.#pings;
    if (ping === undefined) return false;
    this.#pings = others.length === 0 ? NO_PINGS : others;
    const { position, introduction } = ping;
    const hasAdvanced = position !== undefined && this.#stream.prove(position);
    if (introduction <= this.#arrived) return hasAdvanced;
    this.#arrived = introduction;
    return true;
  }
}
