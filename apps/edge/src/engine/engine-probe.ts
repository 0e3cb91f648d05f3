import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Connection } from './connection.js';
import { ENGINE_OPTIONS } from './engine-options.js';
import { ProbeClient, sidOf, within } from './probe-client.js';

/** What a connection was opened with. */
interface Opening {
  readonly request: IncomingMessage;
  /** Stands for the answer to the upgrade. Middleware gets it. */
  readonly answer: object;
}

/**
 * A Socket.IO server with the edge's options and one WebSocket, all in memory: real objects of the libraries, on which
 * their internals can be looked at. It listens on no port.
 */
export class EngineProbe {
  readonly http: HttpServer;
  readonly io: Server;
  readonly client: ProbeClient;
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly answer: object;
  /** The id of the connection, as the client got it. */
  readonly id: string;
  #socket: Promise<Socket> | undefined;

  /** @throws {Error} if the libraries do not open a connection within 10 s. */
  static async open(): Promise<EngineProbe> {
    const http = createServer();
    const io = new Server(http, ENGINE_OPTIONS);
    const opening = new Promise<Opening>((resolve) => {
      io.engine.use((request: IncomingMessage, answer: object, next: () => void) => {
        resolve({ request, answer });
        next();
      });
    });
    const connection = new Promise<Connection>((resolve) => io.engine.once('connection', resolve));
    const client = ProbeClient.upgrade(http);
    try {
      await client.receive('"sid":"');
      return new EngineProbe({ http, io, client, connection: await connection, ...(await opening) });
    } catch (error) {
      client.close();
      throw error;
    }
  }

  private constructor(parts: Omit<EngineProbe, 'id' | 'join' | 'close'>) {
    this.http = parts.http;
    this.io = parts.io;
    this.client = parts.client;
    this.connection = parts.connection;
    this.request = parts.request;
    this.answer = parts.answer;
    this.id = sidOf(parts.client.received);
  }

  /** The socket of the main namespace, which is joined the first time. */
  join(): Promise<Socket> {
    this.#socket ??= within(
      new Promise((resolve) => {
        this.io.once('connection', resolve);
        this.client.send('40');
      }),
    );
    return this.#socket;
  }

  /** Ends the connection, and with it everything that the libraries do. */
  close(): void {
    this.client.close();
  }
}
