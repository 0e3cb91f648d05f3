import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { downloadEncryptedContent, encryptedStream, getMediaKeys } from '@whiskeysockets/baileys';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Arrivals } from '../transport/arrivals.js';
import { decryptMedia, encryptMedia, MediaIntegrityError } from './encryption.js';
import { MediaStore } from './media-store.js';
import { mediaRoutes } from './routes.js';
import { UploadDesk } from './upload-desk.js';

const picture = Buffer.from('a picture '.repeat(500));
const store = new MediaStore(1_000_000);
const arrivals = new Arrivals();
const uploads = new UploadDesk();
const server = fastify();
let origin = '';

beforeAll(async () => {
  mediaRoutes(server, { media: store, uploads, arrivals });
  origin = await server.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(() => server.close());

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Uploads a blob as clients do. */
function upload(body: Buffer, { auth = uploads.auth, name = hashOf(body) } = {}): Promise<Response> {
  const query = new URLSearchParams({ auth, token: name });
  return fetch(`${origin}/mms/image/${name}?${query}`, { method: 'POST', body: new Uint8Array(body) });
}

const hashOf = (blob: Buffer) => createHash('sha256').update(blob).digest('base64url');

test('Baileys opens what a phone uploads', async () => {
  const media = await encryptMedia(picture, 'image');
  const path = store.put(media.blob);
  const keys = await getMediaKeys(media.mediaKey, 'image');
  expect(await collect(await downloadEncryptedContent(`${origin}${path}`, keys, {}))).toEqual(picture);
});

test('a part of a file is served by range', async () => {
  const media = await encryptMedia(picture, 'image');
  const url = `${origin}${store.put(media.blob)}`;
  const keys = await getMediaKeys(media.mediaKey, 'image');
  const part = await downloadEncryptedContent(url, keys, { startByte: 64, endByte: 128 });
  expect(await collect(part)).toEqual(picture.subarray(64, 128));
  const beyond = await fetch(url, { headers: { range: `bytes=${media.blob.length}-` } });
  expect(beyond.status).toBe(416);
});

test('a phone opens what Baileys uploads', async () => {
  const media = await encryptedStream(picture, 'image', { opts: {} });
  const body = await readFile(media.encFilePath);
  await rm(media.encFilePath);
  const answer = await upload(body);
  const { url, direct_path: path } = (await answer.json()) as { url: string; direct_path: string };
  expect(url).toBe(`${origin}${path}`);
  const blob = store.get(path) ?? Buffer.alloc(0);
  expect(await decryptMedia(blob, media.mediaKey, 'image')).toEqual(picture);
  await expect(decryptMedia(blob, media.mediaKey, 'video')).rejects.toThrow(MediaIntegrityError);
});

test('each upload and download is noted with the address that it came from', async () => {
  const begunAt = Date.now();
  const answer = await upload(Buffer.from('a blob'));
  const { direct_path: path } = (await answer.json()) as { direct_path: string };
  await (await fetch(`${origin}${path}?hash=b`)).arrayBuffer();
  expect(arrivals.since(begunAt)).toEqual([
    {
      at: expect.any(Number),
      from: '127.0.0.1',
      what: 'upload',
      path: expect.stringMatching(/^\/mms\/image\//),
    },
    { at: expect.any(Number), from: '127.0.0.1', what: 'download', path },
  ]);
});

test('an upload needs a valid token, and the hash of what is uploaded', async () => {
  const blob = Buffer.from('a blob');
  const earlier = uploads.auth;
  uploads.revokeAuth();
  expect((await upload(blob, { auth: earlier })).status).toBe(401);
  expect((await upload(blob, { name: hashOf(Buffer.from('another')) })).status).toBe(400);
  expect((await upload(blob)).status).toBe(200);
  expect([uploads.taken, uploads.refused]).toEqual([expect.any(Number), 1]);
});

test('faults apply to the next uploads, one each', async () => {
  uploads.failNext('busy', 'cut');
  const blob = Buffer.from('a blob');
  expect((await upload(blob)).status).toBe(503);
  await expect(upload(blob)).rejects.toThrow();
  expect((await upload(blob)).status).toBe(200);
});

test('what is gone is not found', async () => {
  expect((await fetch(`${origin}/v/gone.enc`)).status).toBe(404);
});

test('the store drops the oldest blobs beyond its bound', () => {
  const small = new MediaStore(10);
  const [first, second] = [small.put(Buffer.from('12345678')), small.put(Buffer.from('abcdefgh'))];
  expect(small.get(first)).toBeUndefined();
  expect(small.get(second)).toBeDefined();
});
