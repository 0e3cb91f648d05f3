import type { WafleetClient } from '@wafleet/client';
import type { SessionStatus, SessionView } from '@wafleet/contract';
import { waitFor } from './wait-for.js';

/** The first page of a tenant's sessions, oldest first. */
export async function listSessions(client: WafleetClient): Promise<SessionView[]> {
  return (await client.call('list-sessions')).items;
}

/** Resolves once the session has the status. */
export async function waitForStatus(
  client: WafleetClient,
  id: string,
  status: SessionStatus,
  timeoutMs = 30_000,
): Promise<SessionView> {
  let seen: SessionView | undefined;
  const look = async () => {
    seen = await client.call('get-session', { params: { id } });
    return seen.status === status && seen;
  };
  try {
    return await waitFor(look, { what: `session ${id} ${status}`, timeoutMs, intervalMs: 100 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}; the session is ${JSON.stringify(seen)}`, { cause: error });
  }
}
