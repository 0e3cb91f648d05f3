import { MOVING_BODY_LIMIT, WafleetError } from '@wafleet/contract';
import type { FastifyInstance } from 'fastify';
import { identityOf } from '../auth/request-auth.js';

/**
 * How many bytes large bodies may have together, and those of one tenant. A body takes some times its size in memory until
 * it is read. The slow bodies of one tenant do not keep out those of the others.
 */
const MAX_BYTES = { all: 2 * MOVING_BODY_LIMIT, ofTenant: MOVING_BODY_LIMIT };
const RETRY_AFTER_MS = 2_000;
const JSON_TYPE = /^application\/json\b/i;

/**
 * Bounds the large bodies that this edge has in memory at a time, for the routes that are added from here on, which take
 * API keys. Others are refused before anything of them is read.
 * @param normalLimit the size up to which a body is not large, bytes.
 */
export function boundLargeBodies(app: FastifyInstance, normalLimit: number): void {
  const bodies = new Set<{ readonly tenantId: string; readonly bytes: number }>();
  app.addHook('preParsing', async (request, reply, payload) => {
    // Files that do not come in JSON are never whole in memory.
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) return payload;
    // Without a length it may be as large as the route allows.
    const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    const bytes = Math.min(request.routeOptions.bodyLimit, length);
    if (bytes <= normalLimit) return payload;
    const { tenantId } = identityOf(request);
    const ofTenant = [...bodies].filter((body) => body.tenantId === tenantId);
    if (bytes + sum(bodies) > MAX_BYTES.all || bytes + sum(ofTenant) > MAX_BYTES.ofTenant) {
      throw new WafleetError('UNAVAILABLE', 'This edge reads as many large requests as it can at a time.', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const body = { tenantId, bytes };
    bodies.add(body);
    reply.raw.once('close', () => bodies.delete(body));
    return payload;
  });
}

function sum(bodies: Iterable<{ readonly bytes: number }>): number {
  let all = 0;
  for (const { bytes } of bodies) all += bytes;
  return all;
}
