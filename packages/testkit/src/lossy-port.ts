import { connect, createServer, type Server, type Socket } from 'node:net';
import { joinSockets } from './join-sockets.js';

/** How an answer is lost: the connection breaks, or stays open without an answer. */
export type Loss = 'cut' | 'silence';

/** A port of 127.0.0.1 that forwards to another one. Chosen requests are carried out, but their answers are lost. */
export class LossyPort {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #next: { readonly request: string; readonly loss: Loss } | undefined;

  static async open(target: number): Promise<LossyPort> {
    const lossy = new LossyPort(target);
    await new Promise<void>((resolve) => lossy.#server.listen(0, '127.0.0.1', resolve));
    return lossy;
  }

  private constructor(target: number) {
    this.#server = createServer((inner) => this.#lead(inner, connect({ host: '127.0.0.1', port: target })));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the port is not open');
    return address.port;
  }

  /** Loses the answer to the next request that contains `request` in one of its chunks. */
  loseAnswer(request: string, loss: Loss): void {
    this.#next = { request, loss };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #lead(inner: Socket, outer: Socket): void {
    this.#open.add(inner);
    inner.once('close', () => this.#open.delete(inner));
    // Before the sockets are joined, so that the request is known when its answer comes.
    inner.on('data', (sent: Buffer) => {
      const next = this.#next;
      if (next === undefined || !sent.includes(next.request)) return;
      this.#next = undefined;
      outer.unpipe(inner);
      outer.once('data', () => {
        if (next.loss === 'cut') inner.destroy();
      });
      outer.resume();
    });
    joinSockets(inner, outer);
  }
}
