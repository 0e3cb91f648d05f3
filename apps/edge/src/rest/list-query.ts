import { DEFAULT_PAGE_SESSIONS, type SessionPageQuery } from '@wafleet/contract';
import type { FastifyRequest } from 'fastify';

/** How many sessions one unit of a list's cost pays for. */
const SESSIONS_PER_UNIT = 50;

/** What a list of sessions costs, by how many it asks for: known before the query is checked. */
export function costOfList(request: FastifyRequest): number {
  const { limit = DEFAULT_PAGE_SESSIONS } = request.query as Partial<SessionPageQuery>;
  const asked = Number(limit);
  return Math.max(2, Math.ceil((asked > 0 ? asked : DEFAULT_PAGE_SESSIONS) / SESSIONS_PER_UNIT));
}
