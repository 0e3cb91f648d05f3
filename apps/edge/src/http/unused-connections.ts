import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections on which no request has come yet, such as those that browsers open ahead of need. A closing server
 * waits for them, since they count neither as idle nor as busy. This class can end them.
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

  /** Ends these connections, and every one that is made from now on. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
