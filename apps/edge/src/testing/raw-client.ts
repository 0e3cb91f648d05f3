import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { waitFor } from '@wafleet/testkit';

interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/**
 * A Socket.IO client made of nothing but a TCP connection, which shows the bytes that the server sent, frame by frame,
 * and can stop reading. It answers no pings.
 */
export class RawClient {
  /** The payloads of the text frames, in order. */
  readonly messages: string[] = [];
  /** All that came after the handshake. */
  bytes = Buffer.alloc(0);
  closeFrame: CloseFrame | undefined;
  isEnded = false;
  readonly #tcp: Socket;
  #unread = Buffer.alloc(0);
  #isUpgraded = false;

  /** Connects over WebSocket and joins the namespace. */
  static async connect(url: string, namespace = '/'): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const client = new RawClient(connect(Number(port), hostname));
    client.#tcp.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        `Host: ${hostname}:${port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        '\r\n',
      ].join('\r\n'),
    );
    await waitFor(() => client.messages.length > 0, { what: 'Engine.IO opens the connection' });
    client.send(namespace === '/' ? '40' : `40${namespace},`);
    await waitFor(() => client.messages.length > 1, { what: 'the namespace accepts the client' });
    client.bytes = Buffer.alloc(0);
    client.messages.length = 0;
    return client;
  }

  private constructor(tcp: Socket) {
    this.#tcp = tcp;
    tcp.on('data', (chunk) => this.#receive(chunk));
    tcp.on('error', () => {});
    tcp.on('close', () => {
      this.isEnded = true;
    });
  }

  /** Sends a text of at most 125 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text);
    this.#tcp.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  /** Reads no more, so that what the server sends stays with it. */
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
    if (!this.#isUpgraded) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#isUpgraded = true;
      this.#unread = this.#unread.subarray(end + 4);
    } else {
      this.bytes = Buffer.concat([this.bytes, chunk]);
    }
    let frame = readFrame(this.#unread);
    while (frame !== undefined) {
      this.#unread = this.#unread.subarray(frame.end);
      if (frame.opcode === 1) this.messages.push(frame.payload.toString());
      if (frame.opcode === 8) {
        this.closeFrame = {
          code: frame.payload.readUInt16BE(0),
          reason: frame.payload.subarray(2).toString(),
        };
      }
      frame = readFrame(this.#unread);
    }
  }
}

/** The first frame of the bytes, from RFC 6455, 5.2; undefined while it is not whole. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const start = second < 126 ? 2 : second === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length =
    start === 2 ? second : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: first & 0x0f, payload: bytes.subarray(start, end), end };
}
