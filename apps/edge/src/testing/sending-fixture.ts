import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type CommandFields, type MediaFile, type UploadedMedia, WafleetError } from '@wafleet/contract';
import { Cipher, UploadBoxes, verifyEncryptionKey } from '@wafleet/store';
import type { Handle } from '@wafleet/store/testing';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { MediaDecryption } from '../media/media-decryption.js';
import { there } from './cluster-fixture.js';
import { mediaConnection, TestMediaHost } from './media-host.js';
import { type Answer, sendRequest } from './raw-request.js';
import { TestCluster, type TestTenant } from './test-cluster.js';
import type { TestEdge, TestEdgeOptions } from './test-edge.js';

const CIPHER = Cipher.fromHexKeys('5a'.repeat(32));

type PostedFields = CommandFields<'post-file-status'>;
type SentFields = CommandFields<'send-file-message'>;

interface Running {
  readonly cluster: TestCluster;
  readonly host: TestMediaHost;
  readonly web: Server;
  readonly edge: TestEdge;
}

/** Gives the tests of a file an edge with a media host, and each of them a tenant with the session `shop-1`. */
export function useSending(options: Omit<TestEdgeOptions, 'redisUrl'> = {}): SendingFixture {
  const fixture = new SendingFixture();
  beforeAll(() => fixture.start(options));
  beforeEach(() => fixture.beginTest());
  afterAll(() => fixture.stop());
  return fixture;
}

/** An edge, a media host, a web server with files, and a session whose worker takes messages with files. */
export class SendingFixture {
  /** The messages with files that the worker got. */
  readonly sent: SentFields[] = [];
  /** The statuses with files that it got. */
  readonly posted: PostedFields[] = [];
  /** What the worker answers to messages. */
  onSend: (fields: SentFields) => unknown = ({ messageId }) => ({ messageId });
  /** The files of the web server, by their paths. */
  readonly pages = new Map<string, Buffer>();
  #running: Running | undefined;
  #tenant: TestTenant | undefined;

  async start(options: Omit<TestEdgeOptions, 'redisUrl'>): Promise<void> {
    const [cluster, host] = await Promise.all([TestCluster.start(), TestMediaHost.start()]);
    await verifyEncryptionKey(cluster.connection, CIPHER);
    const web = createServer((request, response) => {
      const page = this.pages.get(request.url ?? '');
      response.writeHead(page === undefined ? 404 : 200).end(page);
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const edge = await cluster.startEdge({ ...options, media: { url: host.url, ...options.media } });
    this.#running = { cluster, host, web, edge };
  }

  async beginTest(): Promise<void> {
    this.sent.splice(0);
    this.posted.splice(0);
    this.pages.clear();
    this.onSend = ({ messageId }) => ({ messageId });
    this.#tenant = await this.cluster.createTenant();
    const worker = await this.cluster.startWorker(this.#answer);
    await worker.own(this.tenant.tenantId, 'shop-1');
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.host.stop();
    await new Promise((resolve) => there(this.#running).web.close(resolve));
  }

  get cluster(): TestCluster {
    return there(this.#running).cluster;
  }

  get host(): TestMediaHost {
    return there(this.#running).host;
  }

  get edge(): TestEdge {
    return there(this.#running).edge;
  }

  get tenant(): TestTenant {
    return there(this.#tenant);
  }

  /** Where the web server has a file from now on. */
  page(path: string, content: Buffer): string {
    this.pages.set(path, content);
    const { port } = there(this.#running).web.address() as AddressInfo;
    return `http://127.0.0.1:${port}${path}`;
  }

  /** Sends JSON to a path of the session. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { key } = this.tenant;
    return sendRequest(this.edge.url, `POST /api/sessions/shop-1/${path}`, { key, body, headers });
  }

  /** Sends a body of any other type to a path of the session. */
  async postAs(
    path: string,
    body: FormData | Uint8Array<ArrayBuffer> | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.edge.url}/api/sessions/shop-1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.tenant.key}`, ...headers },
      body,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** What a recipient of an uploaded file opens. */
  async open(kind: MediaFile['kind'], file: UploadedMedia): Promise<Buffer> {
    const { mediaKey, sha256, encryptedSha256, directPath, mimetype, length } = file;
    const blob = there(this.host.uploaded.get(directPath));
    const described = { kind, mediaKey, sha256, encryptedSha256, directPath, mimetype };
    const opened = Readable.from([blob]).pipe(new MediaDecryption(described, { length, maxBytes: 1e9 }));
    const chunks: Buffer[] = [];
    for await (const chunk of opened) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The file of an upload, as a worker opens it. */
  openUpload(uploadId: string, sealed: string): UploadedMedia {
    const ref = { tenantId: this.tenant.tenantId, sessionId: 'shop-1' };
    return new UploadBoxes(CIPHER).open(ref, uploadId, sealed);
  }

  readonly #answer: Handle = async (command) => {
    switch (command.kind) {
      case 'open-media-connection':
        return mediaConnection(command, this.host);
      case 'send-file-message':
        this.sent.push(command);
        return this.onSend(command) as { messageId: string };
      case 'post-file-status':
        this.posted.push(command);
        return { messageId: command.messageId, notOnWhatsApp: [] };
      default:
        throw new WafleetError('MEDIA_NOT_FOUND', 'There is none.');
    }
  };
}
