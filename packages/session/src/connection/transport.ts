import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WASocket } from '@whiskeysockets/baileys';
import type { DisconnectCause } from '../mapping/connection.js';

/** The TCP connection under a Baileys socket. */
export class Transport {
  #socket: Socket | undefined;
  #isPaused = false;

  /** @param onRejected the server has rejected the upgrade to WebSocket. This causes no close event of its own. */
  constructor(ws: WASocket['ws'], onRejected: (cause: DisconnectCause) => void) {
    ws.on('upgrade', ({ socket }: IncomingMessage) => {
      this.#socket = socket;
      // The WebSocket library resumes by itself when it has processed its buffered data.
      socket.on('resume', () => {
        if (this.#isPaused) socket.pause();
      });
      if (this.#isPaused) socket.pause();
    });
    ws.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      request.destroy();
      const statusCode = status === 429 ? 429 : 503;
      onRejected({ statusCode, message: `WhatsApp rejected the connection with HTTP status ${status}` });
    });
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
