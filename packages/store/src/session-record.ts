import { type SessionStatus, sessionStatusSchema } from '@wafleet/contract';
import { z } from 'zod';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asList, asText } from './reply.js';
import { Script } from './script.js';
import type { SessionRef } from './session-ref.js';

/** How many sessions one call of the script reads: it blocks Redis for about a tenth of a millisecond. */
const READ_AT_ONCE = 100;

export type DesiredState = 'open' | 'closed';

/** A session as the directory knows it. */
export interface SessionRecord extends SessionRef {
  readonly name?: string;
  /** What the session's tenant wants. */
  readonly desired: DesiredState;
  /** What its owner says it is. */
  readonly status: SessionStatus;
  /** Why it has this status, where there is a reason to tell. */
  readonly reason?: string;
  /** Since when it has this status, ms since 1970. */
  readonly since: number;
  /** The linked phone number, digits only. */
  readonly phone?: string;
  /** The worker incarnation in the owner record. It may have died since. */
  readonly worker?: string;
  /** ms since 1970. */
  readonly createdAt: number;
}

const entrySchema = z.object({
  name: z.string().optional(),
  desired: z.enum(['open', 'closed']),
  status: sessionStatusSchema,
  reason: z.string().optional(),
  since: z.coerce.number(),
  phone: z.string().optional(),
  createdAt: z.coerce.number(),
});

const readEntries = new Script('read-sessions', (reply) =>
  asList(reply).map((entry) => asList(entry).map(asText)),
);

/** A session of what Redis holds of it; undefined if it holds nothing. */
export function toSessionRecord(
  { tenantId, sessionId }: SessionRef,
  entry: Readonly<Record<string, string>>,
  worker: string | null,
): SessionRecord | undefined {
  if (Object.keys(entry).length === 0) return undefined;
  const { name, reason, phone, ...rest } = entrySchema.parse(entry);
  return {
    tenantId,
    sessionId,
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(reason === undefined ? {} : { reason }),
    ...(phone === undefined ? {} : { phone }),
    ...(worker === null ? {} : { worker }),
  };
}

/** Reads sessions of one tenant, in one command for each hundred. Those that do not exist are left out. */
export async function readSessions(
  redis: RedisConnection,
  tenantId: string,
  sessionIds: readonly string[],
): Promise<SessionRecord[]> {
  const chunks: (readonly string[])[] = [];
  for (let index = 0; index < sessionIds.length; index += READ_AT_ONCE) {
    chunks.push(sessionIds.slice(index, index + READ_AT_ONCE));
  }
  const read = await Promise.all(chunks.map((chunk) => readChunk(redis, tenantId, chunk)));
  return read.flat();
}

async function readChunk(
  redis: RedisConnection,
  tenantId: string,
  sessionIds: readonly string[],
): Promise<SessionRecord[]> {
  const refs = sessionIds.map((sessionId) => ({ tenantId, sessionId }));
  const entries = await readEntries.run(
    redis,
    refs.flatMap((ref) => [keys.session(ref), keys.owner(ref)]),
    [],
  );
  return refs
    .map((ref, index) => {
      const [worker = '', ...fields] = entries[index] ?? [];
      const entry: Record<string, string> = {};
      for (let at = 0; at < fields.length; at += 2) entry[fields[at] ?? ''] = fields[at + 1] ?? '';
      return toSessionRecord(ref, entry, worker === '' ? null : worker);
    })
    .filter((record) => record !== undefined);
}
