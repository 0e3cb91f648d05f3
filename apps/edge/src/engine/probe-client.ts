import type { Server as HttpServer } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { withTimeout } from '@wafleet/runtime';
import { MAX_FRAME_BYTES, SOCKET_PATH } from './engine-options.js';

/** Far more than an answer in memory takes, also on a busy machine. */
const ANSWER_WITHIN_MS = 10_000;
const TEXT_FRAME = 0x81;
/** RFC 6455, section 5.2: a client masks its frames. A mask of zeros changes nothing. */
const MASKED = 0x80;
const LENGTH_OF_64_BITS = 127;
const MASK = Buffer.alloc(4);

/** A client of an HTTP server that is connected to it in memory: the other end of a WebSocket, unparsed. */
export class ProbeClient {
  readonly #near: Duplex;
  readonly #far: Duplex;
  /** All that the server has sent, a character for each byte. */
  received = '';

  /** Asks for a WebSocket of Engine.IO, for a connection that is there if its id is given. */
  static upgrade(http: HttpServer, id?: string): ProbeClient {
    const client = new ProbeClient(http);
    client.#request(`EIO=4&transport=websocket${id === undefined ? '' : `&sid=${id}`}`, [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]);
    client.#near.setEncoding('latin1').on('data', (bytes: string) => {
      client.received += bytes;
    });
    return client;
  }

  /** Sends a request of its own to Engine.IO. Resolves with the whole answer. */
  static async get(http: HttpServer, query: string): Promise<string> {
    const client = new ProbeClient(http);
    client.#request(query, ['Connection: close']);
    try {
      return await within(text(client.#near));
    } finally {
      client.close();
    }
  }

  private constructor(http: HttpServer) {
    [this.#near, this.#far] = duplexPair();
    http.emit('connection', this.#far);
  }

  /** Resolves when the server has sent a text. @throws {Error} if it has not within 10 s. */
  async receive(expected: string): Promise<void> {
    const hasCome = new Promise<void>((resolve) => {
      const look = () => {
        if (!this.received.includes(expected)) return;
        this.#near.off('data', look);
        resolve();
      };
      this.#near.on('data', look);
      look();
    });
    await within(hasCome);
  }

  /** Sends a packet of Engine.IO. */
  send(packet: string): void {
    const payload = Buffer.from(packet);
    this.#near.write(Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | payload.length]), MASK, payload]));
  }

  /** Sends the beginning of a frame that is larger than the server takes. */
  sendTooLarge(): void {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(MAX_FRAME_BYTES + 1));
    this.#near.write(Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | LENGTH_OF_64_BITS]), length, MASK]));
  }

  close(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  #request(query: string, headers: readonly string[]): void {
    this.#near.write([`GET ${SOCKET_PATH}?${query} HTTP/1.1`, 'Host: edge', ...headers, '\r\n'].join('\r\n'));
  }
}

/** The id that Engine.IO gave a connection, in what its client received. */
export function sidOf(received: string): string {
  return /"sid":"([^"]+)"/.exec(received)?.[1] ?? '';
}

/** @throws {Error} if a promise does not settle within 10 s. */
export async function within<T>(promise: Promise<T>): Promise<T> {
  if (!(await withTimeout(promise, ANSWER_WITHIN_MS))) throw new Error('an answer did not come');
  return promise;
}
