import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MediaStore } from './media-store.js';

/** Largest accepted upload in bytes, as `media_conn` announces it. */
export const maxUploadBytes = 100 * 1024 * 1024;

/**
 * The routes of the media host: `POST /mms/<kind>/<token>` (also `/product/…` and `/pps/…`) takes a blob and answers
 * `{url, direct_path}`; `GET /v/…` gives it back, ranges included.
 */
export function mediaRoutes(http: FastifyInstance, store: MediaStore): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxUploadBytes },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  for (const path of ['/mms/*', '/product/*', '/pps/*']) {
    http.post(path, async (request, reply) => takeUpload(request, reply, store));
  }
  http.get('/v/*', async (request, reply) => sendBlob(request, reply, store));
}

async function takeUpload(request: FastifyRequest, reply: FastifyReply, store: MediaStore): Promise<unknown> {
  if (!Buffer.isBuffer(request.body)) return reply.code(400).send({ error: 'no content' });
  const path = store.put(request.body);
  return { url: `${request.protocol}://${request.host}${path}`, direct_path: path };
}

async function sendBlob(request: FastifyRequest, reply: FastifyReply, store: MediaStore): Promise<unknown> {
  const blob = store.get(request.url.split('?', 1)[0] ?? '');
  if (!blob) return reply.code(404).send();
  reply.header('accept-ranges', 'bytes').type('application/octet-stream');
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!range) return reply.send(blob);
  const start = Number(range[1]);
  const end = range[2] ? Math.min(Number(range[2]), blob.length - 1) : blob.length - 1;
  if (start > end) {
    return reply.code(416).header('content-range', `bytes */${blob.length}`).send();
  }
  reply.code(206).header('content-range', `bytes ${start}-${end}/${blob.length}`);
  return reply.send(blob.subarray(start, end + 1));
}
