import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import type { CommandReply, MediaFile } from '@wafleet/contract';
import { type SessionRef, sealReply } from '@wafleet/store';

const PART_BYTES = 64 * 1024;

/** What the host does when a path is asked for. */
export interface MediaAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Sends this many bytes and then nothing. */
  readonly stallAfter?: number;
}

/** A media host in the test's own process. */
export class TestMediaHost {
  /** The paths that were asked for, with their queries. */
  readonly asked: string[] = [];
  /** The addresses that they were asked for from. */
  readonly origins: string[] = [];
  /** The paths whose answers were not read to their end. */
  readonly cutOff: string[] = [];
  /** What was uploaded, by its direct path. */
  readonly uploaded = new Map<string, Buffer>();
  /** The token that uploads need. */
  auth = 'token-of-the-test';
  /** The statuses that the next uploads get, one each, in place of being taken. */
  readonly uploadFaults: number[] = [];
  /** How many answers are under way. */
  open = 0;
  readonly #answers = new Map<string, MediaAnswer>();
  readonly #server: Server;

  static async start(): Promise<TestMediaHost> {
    const host = new TestMediaHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  put(path: string, answer: MediaAnswer): void {
    this.#answers.set(path, answer);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const blob = Buffer.concat(chunks);
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const hash = createHash('sha256').update(blob).digest('base64url');
    const isNamed = pathname.endsWith(`/${hash}`) && searchParams.get('token') === hash;
    const status =
      this.uploadFaults.shift() ?? (searchParams.get('auth') !== this.auth ? 401 : isNamed ? 200 : 400);
    const path = `/v/${hash}.enc`;
    if (status === 200) this.uploaded.set(path, blob);
    const body = status === 200 ? { url: `${this.url}${path}`, direct_path: path } : { error: 'refused' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.asked.push(path);
    this.origins.push(request.socket.remoteAddress ?? '');
    this.open += 1;
    response.once('close', () => {
      this.open -= 1;
    });
    if (request.method === 'POST') {
      void this.#take(request, response);
      return;
    }
    const {
      status = 200,
      headers = {},
      body = Buffer.alloc(0),
      stallAfter,
    } = this.#answers.get(path) ?? {
      status: 404,
    };
    response.writeHead(status, headers);
    if (stallAfter !== undefined) {
      response.write(body.subarray(0, stallAfter));
      return;
    }
    pipeline(Readable.from(partsOf(body)), response, (error) => {
      if (error) this.cutOff.push(path);
    });
  }
}

/** In parts, so that no more is given than is read. */
function* partsOf(body: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < body.length; from += PART_BYTES) yield body.subarray(from, from + PART_BYTES);
}

/** What a worker answers to a question for the way to a media host: directly, with the host's token. */
export function mediaConnection(
  { tenantId, sessionId, replyKey }: SessionRef & { readonly replyKey: string },
  { auth }: TestMediaHost,
): CommandReply<'open-media-connection'> {
  const connection = JSON.stringify({ auth, hosts: ['media.example'] });
  return {
    connection: sealReply(replyKey, connection, `media connection ${tenantId}/${sessionId}`),
    isDirect: true,
  };
}

const INFO = { image: 'Image', video: 'Video', audio: 'Audio', document: 'Document', sticker: 'Image' };

/** A file as it lies on the media host, and what its message says of it. */
export function encryptedFile(
  data: Buffer,
  reported: Partial<MediaFile> & Pick<MediaFile, 'directPath'>,
): { blob: Buffer; file: MediaFile } {
  const kind = reported.kind ?? 'image';
  const mediaKey = randomBytes(32);
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, '', `WhatsApp ${INFO[kind]} Keys`, 112));
  const iv = keys.subarray(0, 16);
  const cipher = createCipheriv('aes-256-cbc', keys.subarray(16, 48), iv);
  const ciphertext = Buffer.concat([cipher.update(data), cipher.final()]);
  const mac = createHmac('sha256', keys.subarray(48, 80)).update(iv).update(ciphertext).digest();
  const blob = Buffer.concat([ciphertext, mac.subarray(0, 10)]);
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
  const file = {
    kind,
    mimetype: 'image/png',
    length: data.length,
    mediaKey: mediaKey.toString('base64'),
    sha256: sha256(data),
    encryptedSha256: sha256(blob),
    ...reported,
  };
  return { blob, file };
}
