import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Arrivals } from '../transport/arrivals.js';
import type { MediaStore } from './media-store.js';

/** Largest accepted upload in bytes, as `media_conn` announces it. */
export const maxUploadBytes = 100 * 1024 * 1024;

/**
 * The routes of the media host: `POST /mms/<kind>/<token>` (also `/product/…` and `/pps/…`) takes a blob and answers
 * `{url, direct_path}`; `GET /v/…` gives it back, ranges included. Each request is noted in `arrivals`.
 */
export function mediaRoutes(http: FastifyInstance, store: MediaStore, arrivals: Arrivals): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxUploadBytes },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  for (const path of ['/mms/*', '/product/*', '/pps/*']) {
    http.post(path, async (request, reply) => {
      arrivals.note('upload', request.raw);
      return takeUpload(request, reply, store);
    });
  }
  http.get('/v/*', async (request, reply) => {
    arrivals.note('download', request.raw);
    return sendBlob(request, reply, store);
  });
}

async function takeUpload(request: FastifyRequest, reply: FastifyReply, store: MediaStore): Promise<unknown> {
  if (!Buffer.isBuffer(request.body)) return reply.code(400).send({ error: 'no content' });
  const path = store.put(request.body);
  return { url: `${request.protocol}://${request.host}${path}`, direct_path: path };
}

async function sendBlob(request: FastifyRequest, reply: FastifyReply, store: MediaStore): Promise<unknown> {
  const path = request.url.split('?', 1)[0] ?? '';
  const stored = store.get(path);
  if (!stored) return reply.code(404).send();
  const fault = store.faultOf(path);
  if (fault === 'stall') return stall(reply, stored, store);
  const blob = fault === 'damage' ? damaged(stored) : stored;
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

/** Sends half of a blob and leaves the client waiting for the rest. */
function stall(reply: FastifyReply, blob: Buffer, store: MediaStore): FastifyReply {
  reply.hijack();
  store.stalled += 1;
  reply.raw.once('close', () => {
    store.stalled -= 1;
  });
  reply.raw.writeHead(200, { 'content-length': blob.length });
  reply.raw.write(blob.subarray(0, blob.length / 2));
  return reply;
}

/** The blob with one bit of its second half changed. */
function damaged(blob: Buffer): Buffer {
  const copy = Buffer.from(blob);
  const index = Math.floor(copy.length * 0.75);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
