import type { SessionDirectory } from '@wafleet/store';
import { sessionsNotFound } from '../errors/sessions-not-found.js';

/** @throws {WafleetError} SESSION_NOT_FOUND, with those that the tenant does not have. */
export async function requireSessions(
  sessions: Pick<SessionDirectory, 'exist'>,
  tenantId: string,
  wanted: readonly string[],
): Promise<void> {
  const existing = await sessions.exist(tenantId, wanted);
  const missing = wanted.filter((sessionId) => !existing.has(sessionId));
  if (missing.length > 0) throw sessionsNotFound(missing);
}
