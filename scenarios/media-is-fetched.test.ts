import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorBodySchema } from '@wafleet/contract';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

const MAX_BYTES = 1_000_000;
const hasCurl = spawnSync('curl', ['--version']).status === 0;

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let anna: Phone;
let carl: Phone;

beforeAll(async () => {
  cluster = await startCluster({ environment: { MAX_MEDIA_BYTES: String(MAX_BYTES), LOG_LEVEL: 'debug' } });
  tenant = await cluster.addTenant();
  events = await collectEvents(edgeUrl(), tenant.apiKey, ['messages.*']);
  anna = cluster.simulator.addPhone({ name: 'Anna' });
  carl = cluster.simulator.addPhone({ name: 'Carl' });
  const old = await carl.sendMedia(anna, { kind: 'image', data: Buffer.from('an old picture') });
  anna.history.remember(carl, { id: 'OLD1', message: old.message });
  await tenant.client.call('create-session', { body: { id: 'shop' } });
  await cluster.linkByQr(tenant.client, 'shop', anna);
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

type Media = Parameters<Phone['sendMedia']>[1];

const edgeUrl = () => cluster.edges[0]?.url ?? '';
const pathOf = (id: string) => `/api/sessions/shop/messages/${id}/media`;

/** Asks for the file of a message as soon as its event is here. */
async function fetchFile(id: string, key = tenant.apiKey): Promise<Response> {
  const isThere = ({ messages }: { messages: readonly { key: { id: string } }[] }) =>
    messages.some((message) => message.key.id === id);
  await events.waitForEvent('messages.upsert', isThere, { what: `of ${id}`, timeoutMs: 60_000 });
  return fetch(`${edgeUrl()}${pathOf(id)}`, { headers: { 'x-api-key': key } });
}

async function fileOf(id: string): Promise<Buffer> {
  const response = await fetchFile(id);
  expect(response.status, response.ok ? '' : await response.clone().text()).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, errorBodySchema.parse(await response.json()).error.code];
}

/** What must not be in a log. */
const secrets: string[] = [];

async function received(media: Media): Promise<{ id: string; path: string }> {
  const { id, message } = await carl.sendMedia(anna, media);
  const { directPath, mediaKey } = message[`${media.kind}Message`] ?? {};
  secrets.push(directPath ?? '', Buffer.from(mediaKey ?? []).toString('base64'));
  return { id, path: directPath ?? '' };
}

test.each<[Media['kind'], string, string, RegExp]>([
  ['image', 'image/png', 'image/png', /^inline; .*image-\w+\.png$/],
  ['video', 'video/mp4', 'video/mp4', /^inline; .*video-\w+\.mp4$/],
  ['audio', 'audio/ogg; codecs=opus', 'audio/ogg; codecs=opus', /^inline; .*audio-\w+\.ogg$/],
  ['document', 'text/html', 'application/octet-stream', /^attachment; .*_\.\._Rechnung%20M%C3%A4rz\.html$/],
  ['sticker', 'image/webp', 'image/webp', /^inline; .*sticker-\w+\.webp$/],
])('a client gets the %s of a message', async (kind, mimetype, type, disposition) => {
  const data = randomBytes(200_000);
  const { id } = await received({ kind, data, mimetype, fileName: '../../Rechnung März.html' });
  const response = await fetchFile(id);
  expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
  expect(response.headers.get('content-type')).toBe(type);
  expect(response.headers.get('content-disposition')).toMatch(disposition);
  expect(response.headers.get('content-length')).toBe('200000');
});

test('in a group, view-once, sent by the account itself, and of the history as well', async () => {
  const data = Buffer.from('a picture');
  const group = anna.createGroup('Friends', [carl]);
  const toGroup = await carl.sendMedia(group, { kind: 'image', data });
  const viewOnce = await carl.send(anna, { viewOnceMessageV2: { message: toGroup.message } });
  const own = await anna.sendMedia(carl, { kind: 'image', data });
  for (const { id } of [toGroup, viewOnce, own]) expect(await fileOf(id)).toEqual(data);
  expect((await fileOf('OLD1')).toString()).toBe('an old picture');
});

test('the phone uploads a file that WhatsApp no longer has, once for all requests', async () => {
  const data = randomBytes(50_000);
  const { id, path } = await received({ kind: 'video', data });
  cluster.simulator.media.expire(path);
  const updates = events.payloads('messages.update').length;
  const files = await Promise.all([fileOf(id), fileOf(id), fileOf(id)]);
  for (const file of files) expect(file.equals(data)).toBe(true);
  expect(await fileOf(id)).toEqual(data);
  expect(events.payloads('messages.update')).toHaveLength(updates);
  const own = await anna.sendMedia(carl, { kind: 'image', data });
  cluster.simulator.media.expire(own.message.imageMessage?.directPath ?? '');
  expect(await fileOf(own.id)).toEqual(data);
});

test('a file that the phone has lost too is gone, and a text has none', async () => {
  const { id, path } = await received({ kind: 'image', data: Buffer.from('a picture') });
  cluster.simulator.media.lose(path);
  expect(await codeOf(await fetchFile(id))).toEqual([410, 'MEDIA_GONE']);
  const text = await carl.send(anna, { text: 'hi' });
  expect(await codeOf(await fetchFile(text.id))).toEqual([404, 'MEDIA_NOT_FOUND']);
});

test('an answer with a damaged file is never complete', async () => {
  const { id, path } = await received({ kind: 'document', data: randomBytes(500_000) });
  cluster.simulator.media.breakAt(path, 'damage');
  const response = await fetchFile(id);
  expect(response.status).toBe(200);
  await expect(response.arrayBuffer()).rejects.toThrow();
});

test('a client that disconnects ends the request to WhatsApp', async () => {
  const { media } = cluster.simulator;
  const { id, path } = await received({ kind: 'document', data: randomBytes(500_000) });
  media.breakAt(path, 'stall');
  const response = await fetchFile(id);
  expect(response.status).toBe(200);
  await waitFor(() => media.stalled === 1, { what: 'the edge waits for the media host', timeoutMs: 60_000 });
  await response.body?.cancel();
  await waitFor(() => media.stalled === 0, { what: 'the edge waits no longer', timeoutMs: 60_000 });
});

test('a file that is too large is refused', async () => {
  const largest = await received({ kind: 'document', data: randomBytes(MAX_BYTES) });
  expect(await fileOf(largest.id)).toHaveLength(MAX_BYTES);
  const { id } = await received({ kind: 'document', data: randomBytes(MAX_BYTES + 16) });
  expect(await codeOf(await fetchFile(id))).toEqual([413, 'MEDIA_TOO_LARGE']);
});

test('a key of another tenant, without the scope, or for other sessions gets nothing', async () => {
  const { id } = await received({ kind: 'image', data: Buffer.from('a picture') });
  const stranger = await cluster.addTenant('stranger');
  await stranger.client.call('create-session', { body: { id: 'shop' } });
  const scopes = ['sessions:read', 'sessions:write', 'messages:write'] as const;
  const unable = await cluster.admin.call('create-key', {
    body: { tenantId: tenant.id, scopes: [...scopes] },
  });
  const elsewhere = await cluster.admin.call('create-key', {
    body: { tenantId: tenant.id, sessions: ['office'] },
  });
  const able = await cluster.admin.call('create-key', {
    body: { tenantId: tenant.id, scopes: ['events:read'], sessions: ['shop'] },
  });
  // The other tenant has a session of the same name, without such a message.
  await waitFor(async () => (await codeOf(await fetchFile(id, stranger.apiKey)))[1] !== 'NO_WORKER', {
    what: 'the session of the stranger has a worker',
  });
  expect(await codeOf(await fetchFile(id, stranger.apiKey))).toEqual([404, 'MEDIA_NOT_FOUND']);
  expect(await codeOf(await fetchFile(id, unable.key))).toEqual([403, 'FORBIDDEN']);
  expect(await codeOf(await fetchFile(id, elsewhere.key))).toEqual([404, 'SESSION_NOT_FOUND']);
  expect((await fetchFile(id, able.key)).status).toBe(200);
});

// A bare machine may lack curl; the test then counts as skipped.
test.skipIf(!hasCurl)('the example of docs/media.md saves the file', async () => {
  const data = randomBytes(10_000);
  const { id } = await received({ kind: 'document', data, fileName: 'report.pdf' });
  await fileOf(id);
  const folder = mkdtempSync(join(tmpdir(), 'wafleet-media-'));
  const [example = ''] = codeBlocks('docs/media.md', 'sh');
  // Does not block this process, because the media host runs in it.
  await promisify(execFile)('sh', ['-euc', example.replace('http://localhost:3000', edgeUrl())], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', SESSION: 'shop', MESSAGE_ID: id, API_KEY: tenant.apiKey },
  });
  expect(readdirSync(folder)).toEqual(['report.pdf']);
  expect(readFileSync(join(folder, 'report.pdf')).equals(data)).toBe(true);
  rmSync(folder, { recursive: true });
});

test('no log line has the path of a file or its key', () => {
  const logs = [...cluster.workers, ...cluster.edges.map(({ process }) => process)].flatMap(
    ({ logs }) => logs,
  );
  expect(logs.some((line) => JSON.stringify(line).includes('could not be handed out'))).toBe(true);
  const text = JSON.stringify(logs);
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter((secret) => secret === '' || text.includes(secret))).toEqual([]);
});
