import { connect, createServer, type Server, type Socket } from 'node:net';

/** A port of 127.0.0.1 that leads to another one, and can be severed from it as by a broken network. */
export class SeverablePort {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #severed = false;

  static async open(target: number): Promise<SeverablePort> {
    const port = new SeverablePort(target);
    await new Promise<void>((resolve) => port.#server.listen(0, '127.0.0.1', resolve));
    return port;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#lead(socket));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the port is not open');
    return address.port;
  }

  /** Breaks every connection and refuses new ones, until `restore`. */
  sever(): void {
    this.#severed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#severed = false;
  }

  async close(): Promise<void> {
    this.sever();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #lead(inner: Socket): void {
    if (this.#severed) {
      inner.destroy();
      return;
    }
    const outer = connect({ host: '127.0.0.1', port: this.#target });
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
