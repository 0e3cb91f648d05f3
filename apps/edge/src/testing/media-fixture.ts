import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import {
  errorBodySchema,
  type errorDescriptionSchema,
  type MediaFile,
  type TenantLimits,
  WafleetError,
} from '@wafleet/contract';
import {
  Cipher,
  type SessionRef,
  SessionSettingsRecords,
  sealReply,
  verifyEncryptionKey,
} from '@wafleet/store';
import type { Handle } from '@wafleet/store/testing';

import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { z } from 'zod';
import type { MediaOptions } from '../media/media-downloads.js';
import { encryptedFile, type MediaAnswer, TestMediaHost } from './media-host.js';
import { TestCluster, type TestTenant } from './test-cluster.js';
import type { TestEdge } from './test-edge.js';

interface Running {
  readonly cluster: TestCluster;
  readonly host: TestMediaHost;
  readonly edge: TestEdge;
}

type HeaderValues = Readonly<Record<string, string>>;

interface CallOptions {
  readonly method?: string;
  readonly headers?: HeaderValues;
}

/** Gives the tests of a file an edge with a media host, and each of them a tenant with the session `shop-1`. */
export function useMedia(): MediaFixture {
  const fixture = new MediaFixture();
  beforeAll(() => fixture.start());
  beforeEach(() => fixture.beginTest());
  afterAll(() => fixture.stop());
  return fixture;
}

/** An edge, a media host, and a session whose message `M1` has a file. Available inside tests only. */
export class MediaFixture {
  /** What the worker answers when the phone is to upload a file again. */
  onRefresh: () => { file?: MediaFile } = () => ({});
  /** The URL of the session's proxy. */
  proxy: string | undefined;
  /** What the worker answers in its place. */
  sealedProxy: string | undefined;
  /** Whether the worker's answer says nothing of a proxy, not even that there is none. */
  isSilentOfProxy = false;
  #file: MediaFile | undefined;
  #running: Running | undefined;
  #tenant: TestTenant | undefined;
  #files = 0;

  async start(): Promise<void> {
    const [cluster, host] = await Promise.all([TestCluster.start(), TestMediaHost.start()]);
    this.#running = { cluster, host, edge: await cluster.startEdge({ media: { url: host.url } }) };
  }

  async beginTest(): Promise<void> {
    this.#file = undefined;
    this.onRefresh = () => ({});
    this.proxy = undefined;
    this.sealedProxy = undefined;
    this.isSilentOfProxy = false;
    await this.nextTenant();
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.host.stop();
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

  /** From now on requests are those of another tenant, which has a session and the message as well. */
  async nextTenant(): Promise<void> {
    this.#tenant = await this.cluster.createTenant();
    const worker = await this.cluster.startWorker(this.#answer);
    await worker.own(this.#tenant.tenantId, 'shop-1');
  }

  /** From now on requests are those of another tenant, which has no session. */
  async strangeTenant(): Promise<void> {
    this.#tenant = await this.cluster.createTenant();
  }

  /** A further edge. */
  edgeWith(media: Partial<MediaOptions>, tenantLimits: Partial<TenantLimits> = {}): Promise<TestEdge> {
    return this.cluster.startEdge({ media: { url: this.host.url, ...media }, tenantLimits });
  }

  /** Puts a file on the media host, and makes it that of message `M1`. */
  receive(data: Buffer, reported: Partial<MediaFile> = {}, answer: MediaAnswer = {}): MediaFile {
    this.#files += 1;
    const { blob, file } = encryptedFile(data, { directPath: `/v/${this.#files}.enc?oh=token`, ...reported });
    const headers = { 'content-length': String(blob.length) };
    this.host.put(file.directPath, { headers, body: blob, ...answer });
    this.#file = file;
    return file;
  }

  /** Makes the last file's message say something else of it. */
  tell(reported: Partial<MediaFile>): void {
    this.#file = { ...there(this.#file), ...reported };
  }

  /** Stores a proxy for the session. */
  async setProxy(url: string): Promise<void> {
    const { connection } = this.cluster;
    await verifyEncryptionKey(connection, Cipher.fromHexKeys('5a'.repeat(32)));
    const plain = { proxy: { kind: 'http', host: 'proxy.example', port: 3128, hasCredentials: false } };
    await new SessionSettingsRecords(connection).replace(this.#session, 0, { plain, proxy: url });
  }

  /** Makes the stored settings of the session unreadable. */
  async damageSettings(): Promise<void> {
    const { tenantId, sessionId } = this.#session;
    await this.cluster.connection.set(`wf:{${tenantId}}:settings:${sessionId}`, 'damaged');
  }

  get #session(): SessionRef {
    return { tenantId: this.tenant.tenantId, sessionId: 'shop-1' };
  }

  /** The tenant that requests are of. */
  get tenant(): TestTenant {
    return there(this.#tenant);
  }

  /** From now on requests have another key of the tenant. */
  useKey(tenant: TestTenant): void {
    this.#tenant = tenant;
  }

  /** The headers of a request, with the tenant's key. */
  headers(more: HeaderValues = {}): HeaderValues {
    return { 'x-api-key': there(this.#tenant).key, ...more };
  }

  address(url = this.edge.url, messageId = 'M1'): string {
    return `${url}/api/sessions/shop-1/messages/${messageId}/media`;
  }

  get(url?: string, { method = 'GET', headers }: CallOptions = {}): Promise<Response> {
    return fetch(this.address(url), { method, headers: this.headers(headers) });
  }

  /** The answer as it comes, unread. */
  async open(url?: string): Promise<IncomingMessage> {
    const sent = httpRequest(this.address(url), { headers: this.headers() });
    sent.end();
    const [response] = await once(sent, 'response');
    return response;
  }

  /** Resolves with what was answered in place of a file. */
  async refusal(
    url?: string,
  ): Promise<{ status: number; error: z.infer<typeof errorDescriptionSchema>; headers: Headers }> {
    const response = await this.get(url);
    const { error } = errorBodySchema.parse(await response.json());
    return { status: response.status, error, headers: response.headers };
  }

  /** Resolves when the media host has no request any more. */
  nothingOpen(): Promise<true> {
    return waitFor(() => this.host.open === 0, { what: 'the requests to the media host end' });
  }

  readonly #answer: Handle = async (command) => {
    if (command.kind === 'refresh-media') return this.onRefresh();
    const isThere = command.kind === 'find-media' && command.messageId === 'M1';
    if (!isThere || this.#file === undefined) throw new WafleetError('MEDIA_NOT_FOUND', 'There is none.');
    const { tenantId, sessionId, replyKey = '' } = command;
    const file = this.#file;
    if (this.sealedProxy !== undefined) return { file, proxy: this.sealedProxy };
    if (this.isSilentOfProxy) return { file };
    if (this.proxy === undefined) return { file, isDirect: true };
    return { file, proxy: sealReply(replyKey, this.proxy, `proxy ${tenantId}/${sessionId}`) };
  };
}

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('the fixture has it inside tests only');
  return thing;
}
