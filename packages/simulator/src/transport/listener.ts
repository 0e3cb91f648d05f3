import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import { generate } from 'selfsigned';
import { type WebSocket, WebSocketServer } from 'ws';

/** First byte of a TLS record that carries a ClientHello. */
const tlsHandshake = 0x16;

export interface ListenerOptions {
  readonly host: string;
  /** 0: a free port. */
  readonly port: number;
  onSocket(socket: WebSocket): void;
  /** An HTTP status with which to refuse a WebSocket upgrade; undefined accepts it. */
  refuseUpgrade(request: IncomingMessage): number | undefined;
}

/** Hosts of WhatsApp. Their names are in the certificate, for clients whose proxy leads them here instead. */
const whatsAppHosts = ['web.whatsapp.com', 'mmg.whatsapp.net'];

/**
 * One TCP port that speaks http, https, ws and wss: the first byte of a connection tells TLS from plain text.
 * The self-signed certificate is created when it is first needed.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1 << 26,
  });
  readonly #sockets = new Set<Socket>();
  readonly #plain: HttpServer;
  #requestListener: RequestListener = () => undefined;
  #secure: Promise<HttpServer> | undefined;
  #certificate: ReturnType<typeof generate> | undefined;
  /** Routes are added before `start`. */
  readonly http: FastifyInstance;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#plain = createHttpServer((request, response) => this.#requestListener(request, response));
    this.http = fastify({
      logger: false,
      bodyLimit: 1 << 28,
      serverFactory: (handler) => {
        this.#requestListener = handler;
        return this.#plain;
      },
    });
    this.#listenForUpgrades(this.#plain);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Resolves with the port. Rejects if it is taken. */
  async start(): Promise<number> {
    await this.http.ready();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    return address.port;
  }

  /** The certificate in PEM, which clients must trust to speak TLS. */
  async certificate(): Promise<string> {
    return (await this.#keyAndCertificate()).cert;
  }

  /** Cuts every connection and frees the port. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await this.http.close();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', (head: Buffer) => {
      socket.pause();
      socket.unshift(head);
      if (head[0] === tlsHandshake) {
        this.#secure ??= this.#startSecure();
        this.#secure.then((server) => handOver(server, socket)).catch(() => socket.destroy());
      } else {
        handOver(this.#plain, socket);
      }
    });
  }

  #keyAndCertificate(): ReturnType<typeof generate> {
    const names = ['localhost', '127.0.0.1', this.#options.host, ...whatsAppHosts];
    this.#certificate ??= generate([{ name: 'commonName', value: this.#options.host }], {
      algorithm: 'sha256',
      keyType: 'ec',
      extensions: [
        { name: 'subjectAltName', altNames: names.map((name) => subjectAltName(name)) },
        { name: 'basicConstraints', cA: true },
      ],
    });
    return this.#certificate;
  }

  async #startSecure(): Promise<HttpServer> {
    const certificate = await this.#keyAndCertificate();
    const server = createHttpsServer(
      { key: certificate.private, cert: certificate.cert },
      (request, response) => this.#requestListener(request, response),
    );
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#listenForUpgrades(server);
    return server;
  }

  #listenForUpgrades(server: HttpServer): void {
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      // Node removes its own listener from a connection that is upgraded.
      socket.on('error', () => socket.destroy());
      const status = this.#options.refuseUpgrade(request);
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
          socket.destroy(),
        );
        return;
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#options.onSocket(webSocket));
    });
  }
}

function handOver(server: HttpServer, socket: Socket): void {
  server.emit('connection', socket);
  socket.resume();
}

function subjectAltName(name: string): { type: 7; ip: string } | { type: 2; value: string } {
  return /^[\d.]+$/.test(name) || name.includes(':') ? { type: 7, ip: name } : { type: 2, value: name };
}
