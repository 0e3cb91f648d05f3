import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { waitFor } from './wait-for.js';

const TEXT = 0x1;
const CLOSE = 0x8;

interface SendOptions {
  /** Default: 1, a text (RFC 6455, 5.2). */
  readonly opcode?: number;
  /** Default: true, as required of a client (RFC 6455, 5.1). */
  readonly isMasked?: boolean;
  /** Default: true. A message that is not final continues in further frames. */
  readonly isFinal?: boolean;
}

/**
 * A Socket.IO client that is only a TCP connection with a WebSocket on it. It sends any given bytes, whether they
 * conform to the protocols of WebSocket, Engine.IO and Socket.IO or not. It shows the received bytes, and can stop
 * reading. It does not answer pings, but it answers a close.
 */
export class RawConnection {
  /** The received texts, in order: Engine.IO's packets. */
  readonly messages: string[] = [];
  /** The received close frame. Its code is undefined if the frame had none. */
  closeFrame: { readonly code: number | undefined; readonly reason: string } | undefined;
  isEnded = false;
  readonly #tcp: Socket;
  #chunks: Buffer[] = [];
  #unread = Buffer.alloc(0);
  #isUpgraded = false;

  /** Resolves when Engine.IO has opened the connection, or it has ended. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const connection = new RawConnection(connect(Number(port), hostname));
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    connection.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        `Host: ${hostname}:${port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        ...lines,
        '\r\n',
      ].join('\r\n'),
    );
    await waitFor(() => connection.messages.length > 0 || connection.isEnded, { what: 'a connection' });
    return connection;
  }

  private constructor(tcp: Socket) {
    this.#tcp = tcp;
    tcp.on('data', (chunk) => this.#receive(chunk));
    tcp.on('error', () => {});
    tcp.on('close', () => {
      this.isEnded = true;
    });
  }

  /** All bytes received on the WebSocket, including frame headers. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /**
   * Joins a namespace. Resolves with the answer, or with `''` if the connection ended instead.
   * @param auth the handshake's `auth`: any JSON value. Undefined: none is sent.
   */
  async join(namespace: string, auth?: unknown): Promise<string> {
    const name = namespace === '/' ? '' : `${namespace},`;
    this.send(`40${name}${JSON.stringify(auth) ?? ''}`);
    return this.answer(namespace === '/' ? /^4[04](?!\/)/ : new RegExp(`^4[04]${name}`));
  }

  /** The first message that matches, past or future. `''` if the connection ended without one. */
  async answer(pattern: RegExp): Promise<string> {
    const look = () => this.messages.find((message) => pattern.test(message));
    await waitFor(() => look() ?? this.isEnded, { what: `a message ${pattern}` });
    return look() ?? '';
  }

  /** Clears the received messages and bytes. */
  forget(): void {
    this.messages.length = 0;
    this.#chunks = [];
  }

  /** Sends a frame. */
  send(payload: string | Buffer, { opcode = TEXT, isMasked = true, isFinal = true }: SendOptions = {}): void {
    const body = Buffer.from(payload);
    const start = Buffer.from([(isFinal ? 0x80 : 0) | opcode]);
    // A mask of zeros leaves the payload unchanged.
    const mask = Buffer.alloc(isMasked ? 4 : 0);
    this.write(Buffer.concat([start, encodeLength(body.length, isMasked), mask, body]));
  }

  /** Sends raw bytes. */
  write(bytes: string | Buffer): void {
    this.#tcp.write(bytes);
  }

  /** Stops reading, so that the server's data stays in the server's buffers. */
  pause(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  close(): void {
    this.#tcp.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (this.#isUpgraded) {
      this.#chunks.push(chunk);
    } else {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#isUpgraded = true;
      this.#unread = this.#unread.subarray(end + 4);
      this.#chunks.push(this.#unread);
    }
    for (let frame = readFrame(this.#unread); frame !== undefined; frame = readFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.end);
      if (frame.opcode === TEXT) this.messages.push(frame.payload.toString());
      if (frame.opcode === CLOSE) this.#closing(frame.payload);
    }
  }

  #closing(payload: Buffer): void {
    const code = payload.length < 2 ? undefined : payload.readUInt16BE(0);
    this.closeFrame = { code, reason: payload.subarray(2).toString() };
    this.send(payload, { opcode: CLOSE });
  }
}

/** The payload's length in a frame, together with the mask bit (RFC 6455, 5.2). */
function encodeLength(length: number, isMasked: boolean): Buffer {
  const masked = isMasked ? 0x80 : 0;
  if (length < 126) return Buffer.from([masked | length]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9);
  bytes[0] = masked | (bytes.length === 3 ? 126 : 127);
  if (bytes.length === 3) bytes.writeUInt16BE(length, 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** The first frame of the bytes (RFC 6455, 5.2). Undefined while it is incomplete. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const start = second < 126 ? 2 : second === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length =
    start === 2 ? second : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: first & 0x0f, payload: bytes.subarray(start, end), end };
}
