import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A load balancer without sticky sessions: each connection that comes goes to the port that `choose` gives for the
 * first bytes it sent. Clients here make a connection for each request.
 */
export class Splitter {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  static async open(choose: (firstBytes: string) => number): Promise<Splitter> {
    const splitter = new Splitter(choose);
    await new Promise<void>((resolve) => splitter.#server.listen(0, '127.0.0.1', resolve));
    return splitter;
  }

  private constructor(choose: (firstBytes: string) => number) {
    this.#server = createServer((client) => {
      this.#track(client);
      client.once('data', (first) => {
        const edge = connect(choose(first.toString('latin1')), '127.0.0.1');
        this.#track(edge);
        edge.write(first);
        client.pipe(edge).pipe(client);
        client.once('close', () => edge.destroy());
        edge.once('close', () => client.destroySoon());
      });
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#open.delete(socket));
  }
}
