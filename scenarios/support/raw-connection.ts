import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { waitFor } from '@wafleet/testkit';

const TEXT = 0x1;
const CLOSE = 0x8;

interface SendOptions {
  readonly opcode?: number;
  /** Default true, as a client must (RFC 6455, 5.1). */
  readonly isMasked?: boolean;
  /** Default true; a message that is not final goes on in further frames. */
  readonly isFinal?: boolean;
}

/**
 * A client of an edge that is nothing but a TCP connection with a WebSocket on it: it sends whatever bytes it is told,
 * whether they keep to the protocols of WebSocket, Engine.IO and Socket.IO or not. It answers no pings, but
 * a close.
 */
export class RawConnection {
  /** The texts that came, in order: Engine.IO's packets. */
  readonly messages: string[] = [];
  closeCode: number | undefined;
  isEnded = false;
  readonly #tcp: Socket;
  #unread = Buffer.alloc(0);
  #isUpgraded = false;

  /** Resolves when Engine.IO has opened the connection. */
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

  /** Asks for the namespace `/api/events`. Resolves with the answer, `''` when the connection ended instead. */
  async join(auth: unknown): Promise<string> {
    this.send(`40/api/events,${JSON.stringify(auth) ?? ''}`);
    return this.answer(/^4[04]\/api\/events,/);
  }

  /** The first message that matches, past or to come; `''` when the connection ended without. */
  async answer(pattern: RegExp): Promise<string> {
    const look = () => this.messages.find((message) => pattern.test(message));
    await waitFor(() => look() ?? this.isEnded, { what: `a message ${pattern}` });
    return look() ?? '';
  }

  /** Sends a frame. */
  send(payload: string | Buffer, { opcode = TEXT, isMasked = true, isFinal = true }: SendOptions = {}): void {
    const body = Buffer.from(payload);
    const start = Buffer.from([(isFinal ? 0x80 : 0) | opcode]);
    const mask = isMasked ? Buffer.alloc(4) : Buffer.alloc(0);
    const length = Buffer.alloc(body.length < 126 ? 1 : body.length < 65_536 ? 3 : 9);
    if (length.length === 1) length[0] = body.length;
    else if (length.length === 3) length.writeUInt16BE(body.length, 1);
    else length.writeBigUInt64BE(BigInt(body.length), 1);
    if (length.length > 1) length[0] = length.length === 3 ? 126 : 127;
    length[0] = (length[0] ?? 0) | (isMasked ? 0x80 : 0);
    this.write(Buffer.concat([start, length, mask, body]));
  }

  /** Sends bytes as they are. */
  write(bytes: string | Buffer): void {
    this.#tcp.write(bytes);
  }

  /** Reads nothing more. */
  pause(): void {
    this.#tcp.pause();
  }

  close(): void {
    this.#tcp.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#isUpgraded) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#isUpgraded = true;
      this.#unread = this.#unread.subarray(end + 4);
    }
    for (let frame = readFrame(this.#unread); frame !== undefined; frame = readFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.end);
      if (frame.opcode === TEXT) this.messages.push(frame.payload.toString());
      if (frame.opcode !== CLOSE) continue;
      if (frame.payload.length > 1) this.closeCode = frame.payload.readUInt16BE(0);
      this.send(frame.payload, { opcode: CLOSE });
    }
  }
}

/** The first frame of the bytes, from RFC 6455, 5.2; undefined while it is not whole. */
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
