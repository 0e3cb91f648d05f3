import { connect, type Socket } from 'node:net';
import { deferred } from '../harness/deferred.js';
import { FrameReader } from './frame-reader.js';

/** The protocol of a server under test. */
export type Protocol = 'socket.io' | 'plain';

export interface RawClientOptions {
  readonly port: number;
  readonly protocol: Protocol;
  /** Socket.IO: the handshake's `auth`. Plain: the query of the URL. */
  readonly auth: Readonly<Record<string, string>>;
  /** Socket.IO: the argument of `subscribe`. */
  readonly subscription: unknown;
  /** Gets the beginning of each event, valid only during the call. */
  readonly onEvent: (head: Buffer) => void;
  readonly onClose: (reason: string) => void;
}

export const NAMESPACE = '/api/events';

const CLOSE = 0x8;
const CODE = { ping: 0x32, message: 0x34, connect: 0x30, event: 0x32, ack: 0x33, refusal: 0x34 } as const;
/** All clients read into the same memory: each read is processed before the next one. */
const readBuffer = Buffer.allocUnsafe(256 * 1_024);

/**
 * A client with minimal CPU costs: it counts frames and reads almost nothing of them. It supports the parts of
 * WebSocket, Engine.IO 4 and Socket.IO 5 that one subscription needs.
 */
export class RawClient {
  readonly #options: RawClientOptions;
  readonly #socket: Socket;
  readonly #frames = new FrameReader((opcode, head) => this.#onFrame(opcode, head));
  readonly #subscribed = deferred<string>();
  #response: string | undefined = '';

  constructor(options: RawClientOptions) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#onBytes(readBuffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.once('connect', () => this.#socket.write(this.#upgradeRequest()));
    this.#socket.once('error', (error) => this.#end(error.message));
    this.#socket.once('close', () => this.#end('closed'));
  }

  /** Resolves with the acknowledgement of `subscribe`, or its beginning, once events can arrive. */
  subscribed(): Promise<string> {
    return this.#subscribed.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #upgradeRequest(): string {
    const { protocol, auth, port } = this.#options;
    const path =
      protocol === 'plain' ? `/?${new URLSearchParams(auth)}` : '/socket.io/?EIO=4&transport=websocket';
    return [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n');
  }

  #onBytes(bytes: Buffer): void {
    if (this.#response === undefined) {
      this.#frames.push(bytes);
      return;
    }
    this.#response += bytes.toString('latin1');
    const end = this.#response.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = Buffer.from(this.#response.slice(end + 4), 'latin1');
    if (!this.#response.startsWith('HTTP/1.1 101')) this.#end(this.#response.slice(0, end));
    this.#response = undefined;
    if (rest.length > 0) this.#frames.push(rest);
  }

  #onFrame(opcode: number, head: Buffer): void {
    if (opcode === CLOSE) this.#end(`closed with ${head.toString('utf8', 2)}`);
    else if (head[0] !== CODE.message) this.#onControl(head);
    else if (head[1] === CODE.event) this.#options.onEvent(head);
    else this.#onAnswer(head);
  }

  #onControl(head: Buffer): void {
    const { protocol, auth } = this.#options;
    const text = head.toString();
    if (head[0] === CODE.ping) this.#send('3');
    else if (protocol === 'plain') this.#subscribed.resolve(text);
    else if (text.startsWith('0{')) this.#send(`40${NAMESPACE},${JSON.stringify(auth)}`);
  }

  #onAnswer(head: Buffer): void {
    const text = head.toString();
    if (head[1] === CODE.connect) {
      this.#send(`42${NAMESPACE},0${JSON.stringify(['subscribe', this.#options.subscription])}`);
    } else if (head[1] === CODE.ack && text.includes('"ok":true')) this.#subscribed.resolve(text);
    else this.#end(text);
  }

  /** A client must mask; a mask of zeros changes nothing and costs nothing. */
  #send(text: string): void {
    const payload = Buffer.from(text);
    const { length } = payload;
    const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), payload]));
  }

  #end(reason: string): void {
    this.#subscribed.reject(new Error(`a client was refused: ${reason}`));
    this.#options.onClose(reason);
    this.#socket.destroy();
  }
}
