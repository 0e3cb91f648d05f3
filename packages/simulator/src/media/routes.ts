import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Arrivals } from '../transport/arrivals.js';
import type { MediaStore } from './media-store.js';
import type { UploadDesk } from './upload-desk.js';

/** Largest accepted upload in bytes, as `media_conn` announces it. */
export const maxUploadBytes = 128 * 1024 * 1024;

/** What the media host works with. */
interface MediaHostParts {
  readonly media: MediaStore;
  readonly uploads: UploadDesk;
  readonly arrivals: Arrivals;
}

/**
 * The routes of the media host: `POST /mms/<kind>/<hash>?auth=…&token=<hash>` (also `/product/…` and `/pps/…`) takes
 * a blob by its SHA-256 in base64url, with the token of `media_conn`, and answers `{url, direct_path}`; `GET /v/…` gives it back, ranges included. Each request is noted in `arrivals`.
 */
export function mediaRoutes(
  http: FastifyInstance,
  { media: store, uploads, arrivals }: MediaHostParts,
): void {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxUploadBytes },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  for (const path of ['/mms/*', '/product/*', '/pps/*']) {
    http.post(path, { onRequest: failUpload(uploads) }, async (request, reply) => {
      arrivals.note('upload', request.raw);
      return takeUpload(request, reply, { store, uploads });
    });
  }
  http.get('/v/*', async (request, reply) => {
    arrivals.note('download', request.raw);
    return sendBlob(request, reply, store);
  });
}

/** Applies a fault before anything of the blob is read. */
function failUpload(uploads: UploadDesk) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const fault = uploads.takeFault();
    if (fault === 'busy') return reply.code(503).header('connection', 'close').send({ error: 'busy' });
    if (fault === 'cut') {
      reply.hijack();
      request.raw.destroy();
    }
    return undefined;
  };
}

async function takeUpload(
  request: FastifyRequest,
  reply: FastifyReply,
  { store, uploads }: { store: MediaStore; uploads: UploadDesk },
): Promise<unknown> {
  const { body } = request;
  if (!Buffer.isBuffer(body)) return reply.code(400).send({ error: 'no content' });
  const { pathname, searchParams } = new URL(request.url, 'http://media.invalid');
  const about = {
    name: pathname.split('/').at(-1),
    auth: searchParams.get('auth') ?? undefined,
    token: searchParams.get('token') ?? undefined,
  };
  const refusal = uploads.refusalOf(about, body);
  if (refusal !== undefined) return reply.code(refusal).send({ error: 'refused' });
  const path = store.put(body);
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
