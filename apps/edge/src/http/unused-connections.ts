import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections on which no request has come yet, such as browsers open ahead of need. A server that closes waits for
 * them, as it takes them neither for idle nor for busy; here they can be ended.
 */
export class UnusedConnections {
  readonly #sockets = new Set<Socket>();
  #isEnding = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#isEnding) {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    const hasSpoken = ({ socket }: IncomingMessage) => this.#sockets.delete(socket);
    server.on('request', hasSpoken);
    server.on('upgrade', hasSpoken);
  }

  /** Ends those there are, and those that are made from now on. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
