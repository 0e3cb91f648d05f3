/** A connection or a request of a client, and the address that it came from. */
export interface Arrival {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** An IPv4 or IPv6 address: that of the client, or of the proxy between. */
  readonly from: string;
  readonly what: 'socket' | 'upload' | 'download';
  /** Of the request. */
  readonly path: string;
}

/** What of a request shows where it came from. */
interface Arriving {
  readonly url?: string | undefined;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Older ones are forgotten. */
const KEPT = 10_000;

/** Where clients came from: each attempt to open a WebSocket, each upload and each download, oldest first. */
export class Arrivals {
  readonly #arrivals: Arrival[] = [];

  note(what: Arrival['what'], { url = '', socket }: Arriving): void {
    const from = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
    this.#arrivals.push({ at: Date.now(), from, what, path: url.split('?', 1)[0] ?? '' });
    if (this.#arrivals.length > KEPT) this.#arrivals.shift();
  }

  /** @param at milliseconds since 1970. */
  since(at: number): readonly Arrival[] {
    return this.#arrivals.filter((arrival) => arrival.at >= at);
  }
}
