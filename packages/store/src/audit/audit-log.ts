import { type AuditEntry, auditEntrySchema } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { formatCursor, parseCursor } from '../redis/page-cursor.js';
import { asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** How much is kept: the number of entries, about, and their age, ms. */
const AUDIT_BOUNDS = {
  administrator: 50_000,
  tenant: 2_000,
  ageMs: 90 * 24 * 60 * 60 * 1000,
} as const;

/** How many entries a page with a filter reads, at most, and how many at once. */
const FILTERED_ENTRIES = 2_000;
const READ_AT_ONCE = 500;

/** An act as it is stored: its place in the log gives the rest. */
export type AuditedAct = Omit<AuditEntry, 'id' | 'at' | 'outcome' | 'error'>;

/** Whose acts a log has: the administrator's, or those of the API keys of a tenant. */
export type AuditLogOf = 'administrator' | { readonly tenantId: string };

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  readonly nextCursor: string | undefined;
}

const addEntry = new Script('audit/add-entry', asText);
const storedSchema = auditEntrySchema.omit({ id: true, at: true });

/**
 * Who did what. The administrator's acts are in one log, those of a tenant's API keys in one of the tenant, so that no
 * tenant can push the administrator's out. An act is entered before it begins, with the outcome `unknown`, and that
 * entry is replaced when it has ended: an act that is done has an entry, whatever ends in between.
 */
export class AuditLog {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Enters an act that is about to begin. Returns the id of its entry. Rejects if it was not stored. */
  begin(of: AuditLogOf, act: AuditedAct): Promise<string> {
    return this.#add(of, { ...act, outcome: 'unknown' }, '');
  }

  /** Replaces the entry of an act by one with its outcome. */
  async end(
    of: AuditLogOf,
    id: string,
    ended: AuditedAct & Pick<AuditEntry, 'outcome' | 'error'>,
  ): Promise<void> {
    await this.#add(of, ended, id);
  }

  /**
   * One page, newest first. Reads up to two thousand entries, so with `matches` a page may have fewer than `limit`, or
   * none, although there is a next one.
   * @param request.since, request.until ms since 1970.
   * @throws {WafleetError} VALIDATION_FAILED if the cursor was not issued here.
   */
  async page(
    of: AuditLogOf,
    request: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly since?: number | undefined;
      readonly until?: number | undefined;
      readonly matches?: (entry: AuditEntry) => boolean;
    },
  ): Promise<AuditPage> {
    const { limit, cursor, since, until, matches = () => true } = request;
    const items: AuditEntry[] = [];
    const first = since === undefined ? '-' : entryIdOf(since);
    let last = cursor === undefined ? (until === undefined ? '+' : entryIdOf(until)) : before(cursor);
    let oldest: string | undefined;
    for (let read = 0; read < FILTERED_ENTRIES; read += READ_AT_ONCE) {
      const found = await this.#redis.xrevrange(keyOf(of), last, first, 'COUNT', READ_AT_ONCE);
      for (const [id, [, text = '']] of found) {
        const entry = readEntry(id, text);
        if (entry !== undefined && matches(entry)) {
          if (items.length === limit) return { items, nextCursor: cursorOf(items.at(-1)?.id) };
          items.push(entry);
        }
        oldest = id;
      }
      if (found.length < READ_AT_ONCE || oldest === undefined) return { items, nextCursor: undefined };
      last = `(${oldest}`;
    }
    return { items, nextCursor: cursorOf(oldest) };
  }

  #add(of: AuditLogOf, entry: object, replaces: string): Promise<string> {
    const bound = of === 'administrator' ? AUDIT_BOUNDS.administrator : AUDIT_BOUNDS.tenant;
    return addEntry.run(
      this.#redis,
      [keyOf(of)],
      [JSON.stringify(entry), replaces, bound, AUDIT_BOUNDS.ageMs],
    );
  }
}

function keyOf(of: AuditLogOf): string {
  return of === 'administrator' ? keys.audit : keys.tenantAudit(of.tenantId);
}

/** Undefined for an entry that this release cannot read: it does not hide the others. */
function readEntry(id: string, text: string): AuditEntry | undefined {
  const [ms = ''] = id.split('-');
  try {
    const { data } = storedSchema.safeParse(JSON.parse(text));
    return data && { ...data, id, at: new Date(Number(ms)).toISOString() };
  } catch {
    return undefined;
  }
}

function cursorOf(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const [at = '', number = ''] = id.split('-');
  return formatCursor({ at, id: number });
}

/** A time in the words of XREVRANGE, which knows none before 1970. */
function entryIdOf(ms: number): string {
  return String(Math.max(0, ms));
}

/** The range before an entry, in the words of XREVRANGE. */
function before(cursor: string): string {
  const { at, id } = parseCursor(cursor, /^\d{1,16}$/);
  // Redis refuses a range that ends before the first possible entry.
  return Number(at) === 0 && Number(id) === 0 ? '0-0' : `(${at}-${id}`;
}
