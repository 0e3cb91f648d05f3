import { connect, createServer, type Server, type Socket } from 'node:net';
import { joinSockets } from './join-sockets.js';

/** A port of 127.0.0.1 that forwards to another one, and can be severed from it as by a broken network. */
export class SeverablePort {
  #target: number;
  readonly #server: Server;
  /** Each connection, and the one that it is forwarded to. */
  readonly #joined = new Map<Socket, Socket>();
  /** Connections that arrived while nothing was passed on. */
  readonly #waiting = new Set<Socket>();
  #state: 'leads' | 'severed' | 'frozen' = 'leads';

  static async open(target: number): Promise<SeverablePort> {
    const port = new SeverablePort(target);
    await new Promise<void>((resolve) => port.#server.listen(0, '127.0.0.1', resolve));
    return port;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the port is not open');
    return address.port;
  }

  /** Breaks every connection and refuses new ones, until `restore`. */
  sever(): void {
    this.#state = 'severed';
    this.#break();
  }

  /** Passes nothing on and closes nothing, until `restore`: a network that went away, or a reader that stalls. */
  freeze(): void {
    this.#state = 'frozen';
    for (const socket of [...this.#joined].flat()) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** Forwards again, including what was frozen. */
  restore(): void {
    const wasFrozen = this.#state === 'frozen';
    this.#state = 'leads';
    if (wasFrozen) {
      for (const [inner, outer] of this.#joined) {
        inner.pipe(outer);
        outer.pipe(inner);
      }
    }
    for (const inner of this.#waiting) this.#lead(inner);
    this.#waiting.clear();
  }

  /** Forwards to another port from now on, and breaks the connections to the previous one, as if an address moved. */
  moveTo(target: number): void {
    this.#target = target;
    this.#break();
  }

  async close(): Promise<void> {
    this.sever();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(inner: Socket): void {
    inner.on('error', () => inner.destroy());
    if (this.#state === 'severed') {
      inner.destroy();
    } else if (this.#state === 'frozen') {
      this.#waiting.add(inner);
      inner.once('close', () => this.#waiting.delete(inner));
    } else {
      this.#lead(inner);
    }
  }

  #lead(inner: Socket): void {
    const outer = connect({ host: '127.0.0.1', port: this.#target });
    this.#joined.set(inner, outer);
    inner.once('close', () => this.#joined.delete(inner));
    joinSockets(inner, outer);
  }

  #break(): void {
    for (const socket of [...this.#joined].flat()) socket.destroy();
    for (const socket of this.#waiting) socket.destroy();
  }
}
