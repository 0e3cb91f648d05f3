import { WafleetError } from '@wafleet/contract';
import type { FastifyInstance } from 'fastify';

/** A large body takes some times its size in memory until it is read. */
const AT_ONCE = 2;
const RETRY_AFTER_MS = 2_000;
const JSON_TYPE = /^application\/json\b/i;

/**
 * Bounds how many large bodies this edge has in memory at a time, for the routes that are added from here on. Others are
 * refused before anything of them is read.
 * @param normalLimit the size up to which a body is not large, bytes.
 */
export function boundLargeBodies(app: FastifyInstance, normalLimit: number): void {
  let taken = 0;
  app.addHook('preParsing', async (request, reply, payload) => {
    // Files that do not come in JSON are never whole in memory.
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) return payload;
    // Without a length it may be as large as the route allows.
    const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (Math.min(request.routeOptions.bodyLimit, length) <= normalLimit) return payload;
    if (taken >= AT_ONCE) {
      throw new WafleetError('UNAVAILABLE', 'This edge reads as many large requests as it can at a time.', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    taken += 1;
    reply.raw.once('close', () => {
      taken -= 1;
    });
    return payload;
  });
}
