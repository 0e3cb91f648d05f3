import { createLogger } from '@wafleet/runtime';
import { AuthStateStore, Cipher, connectRedis, type SessionRef } from '@wafleet/store';
import type { Cluster } from '@wafleet/testkit';
import type { AuthenticationState, SignalDataTypeMap } from '@whiskeysockets/baileys';

/**
 * The current credentials of a session, as an attacker with a copy of Redis and the encryption key would have them.
 * What a client writes to them stays in the copy.
 */
export async function copyCredentials(
  { redis }: Cluster,
  ref: SessionRef,
  encryptionKey: string,
): Promise<AuthenticationState> {
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const connection = connectRedis({ url: redis.url, role: 'command', name: 'scenario', logger });
  try {
    // A fence of no owner: it can read, and Redis refuses every write.
    const fence = { ...ref, epoch: 0, worker: 'missing' };
    const cipher = Cipher.fromHexKeys(encryptionKey);
    const stored = await new AuthStateStore({ redis: connection, cipher, fence }).load(() => {
      throw new Error(`${ref.sessionId} has no credentials`);
    });
    const copy = new Map<string, unknown>();
    for (const field of await connection.hkeys(`wf:{${ref.tenantId}}:auth:${ref.sessionId}`)) {
      const [, type, id] = /^([^:]+):(.+)$/.exec(field) ?? [];
      if (type === undefined || id === undefined) continue;
      // The part before the colon is the type of a Signal record.
      const found = await stored.keys.get(type as keyof SignalDataTypeMap, [id]);
      copy.set(field, found[id]);
    }
    return { creds: stored.creds, keys: keysIn(copy) };
  } finally {
    connection.disconnect();
  }
}

/** Signal records in memory, by type and id. */
function keysIn(records: Map<string, unknown>): AuthenticationState['keys'] {
  return {
    get: async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
      const found: Record<string, SignalDataTypeMap[Type]> = {};
      for (const id of ids) {
        const record = records.get(`${type}:${id}`);
        if (record !== undefined) found[id] = record as SignalDataTypeMap[Type];
      }
      return found;
    },
    set: (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, record] of Object.entries(entries)) records.set(`${type}:${id}`, record ?? undefined);
      }
    },
  };
}
