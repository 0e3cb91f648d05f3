import { sessionIdSchema } from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { tenantOf } from '../auth/request-auth.js';

export const sessionParamsSchema = z.object({ id: sessionIdSchema });

/** The session that a request's path names. The tenant is the API key's, so no path leads to another tenant. */
export function sessionRefOf(
  request: FastifyRequest<{ Params: z.infer<typeof sessionParamsSchema> }>,
): SessionRef {
  return { tenantId: tenantOf(request), sessionId: request.params.id };
}
