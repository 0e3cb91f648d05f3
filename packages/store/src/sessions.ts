import { limitError, type SessionStatus, WafleetError } from '@wafleet/contract';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asList, asNumber, asText } from './reply.js';
import { FencedScript, Script } from './script.js';
import { type DesiredState, readSessions, type SessionRecord, toSessionRecord } from './session-record.js';
import type { Fence, SessionRef } from './session-ref.js';

/**
 * How long the owner record of a purged session stays as a tombstone. If a session of the same id is created before,
 * its epochs go on from there, so a fence from before the purge can never match. After it they begin anew, which is
 * safe because the fence also names the worker incarnation: the same one would have to keep an object of the purged
 * session for thirty days without a single write. Tombstones that stayed for ever would fill Redis instead.
 */
const TOMBSTONE_MS = 30 * 24 * 60 * 60 * 1000;

/** How many sessions `scan` yields at a time. */
const PAGE = 200;

/** What a session's owner knows of it. */
export interface StatusUpdate {
  readonly status: SessionStatus;
  /** No reason removes an earlier one. */
  readonly reason?: string | undefined;
  /** Undefined keeps the phone number, null removes it. */
  readonly phone?: string | null | undefined;
}

type Created =
  | { readonly outcome: 'exists' }
  | { readonly outcome: 'full'; readonly limit: number; readonly used: number }
  | { readonly outcome: 'created'; readonly createdAt: number };

/** When a client whose tenant has too many sessions may try again: somebody has to remove one first. */
const RETRY_CREATION_MS = 60_000;

const createSession = new Script('create-session', (reply): Created => {
  const [outcome, first, second] = asList(reply);
  switch (asText(outcome)) {
    case 'exists':
      return { outcome: 'exists' };
    case 'full':
      return { outcome: 'full', limit: asNumber(first), used: asNumber(second) };
    default:
      return { outcome: 'created', createdAt: asNumber(first) };
  }
});
const setStatus = new FencedScript('set-status', asNumber);
const markQueued = new Script('mark-queued', asNumber);
const setDesired = new Script('set-desired', asNumber);
const purgeSession = new Script('purge-session', asNumber);

function notFound({ sessionId }: SessionRef): WafleetError {
  return new WafleetError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`);
}

/** All sessions of all tenants: which exist, what is wanted of them and what they are. */
export class SessionDirectory {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Enters a session, wanted open and queued for a worker. The tenant must exist. The number of its sessions is checked
   * in the same step, so that it holds whoever creates at the same moment.
   * @param options.maxSessions how many a tenant may have that has no limit of its own; undefined for any number.
   * @throws {WafleetError} SESSION_EXISTS, TOO_MANY_SESSIONS
   */
  async create(
    ref: SessionRef,
    options: { name?: string | undefined; maxSessions?: number | undefined } = {},
  ): Promise<SessionRecord> {
    const created = await createSession.run(
      this.#redis,
      [
        ...[keys.session(ref), keys.sessions(ref.tenantId), keys.owner(ref)],
        ...[keys.sessionOrder(ref.tenantId), keys.tenantLimits(ref.tenantId)],
      ],
      [ref.sessionId, options.name ?? '', options.maxSessions ?? ''],
    );
    if (created.outcome === 'exists') {
      throw new WafleetError('SESSION_EXISTS', `There is a session ${ref.sessionId} already.`);
    }
    if (created.outcome === 'full') {
      const { limit, used } = created;
      throw limitError('sessions', 'TOO_MANY_SESSIONS', { limit, used, retryAfterMs: RETRY_CREATION_MS });
    }
    const { createdAt } = created;
    return {
      tenantId: ref.tenantId,
      sessionId: ref.sessionId,
      ...(options.name === undefined ? {} : { name: options.name }),
      desired: 'open',
      status: 'queued',
      since: createdAt,
      createdAt,
    };
  }

  async get(ref: SessionRef): Promise<SessionRecord | undefined> {
    const [entry, worker] = await Promise.all([
      this.#redis.hgetall(keys.session(ref)),
      this.#redis.hget(keys.owner(ref), 'worker'),
    ]);
    return toSessionRecord(ref, entry, worker);
  }

  /** @throws {WafleetError} SESSION_NOT_FOUND */
  async require(ref: SessionRef): Promise<SessionRecord> {
    const record = await this.get(ref);
    if (record === undefined) throw notFound(ref);
    return record;
  }

  /** The tenant's sessions, oldest first. */
  async list(tenantId: string): Promise<SessionRecord[]> {
    const records = await this.#getMany(await this.#refs(tenantId));
    return records.sort((a, b) => a.createdAt - b.createdAt || (a.sessionId < b.sessionId ? -1 : 1));
  }

  /** Those of the given ids that are sessions of the tenant. */
  async exist(tenantId: string, sessionIds: readonly string[]): Promise<Set<string>> {
    if (sessionIds.length === 0) return new Set();
    const found = await this.#redis.smismember(keys.sessions(tenantId), [...sessionIds]);
    return new Set(sessionIds.filter((_, index) => found[index] === 1));
  }

  /** Writes what the owner knows. @throws {FencedError} when the fence is no longer the session's owner. */
  async setStatus(fence: Fence, { status, reason, phone }: StatusUpdate): Promise<void> {
    const phoneAction = phone === undefined ? 'keep' : phone === null ? 'clear' : 'set';
    await setStatus.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.session(fence)],
      [status, reason ?? '', phoneAction, phone ?? ''],
    );
  }

  /**
   * Shows a session as queued, unless a worker owns it. False when one does or when there is no such session.
   * @param deadWorker does not count as an owner.
   */
  async markQueued(ref: SessionRef, reason?: string, deadWorker?: string): Promise<boolean> {
    const marked = await markQueued.run(
      this.#redis,
      [keys.owner(ref), keys.session(ref)],
      [reason ?? '', deadWorker ?? ''],
    );
    return marked === 1;
  }

  /** @throws {WafleetError} SESSION_NOT_FOUND */
  async setDesired(ref: SessionRef, desired: DesiredState): Promise<void> {
    if ((await setDesired.run(this.#redis, [keys.session(ref)], [desired])) === 0) throw notFound(ref);
  }

  /**
   * Removes a session: directory entry, ownership, credentials, QR code, recent messages and files. Its owner, if
   * there is one, is fenced off. Events that it published stay in its tenant's log until they are trimmed. What remains
   * of the session itself is a tombstone without content. False when there was no such session.
   */
  async purge(ref: SessionRef): Promise<boolean> {
    const doomed = [
      keys.session(ref),
      keys.auth(ref),
      keys.qr(ref),
      keys.pairingCode(ref),
      ...keys.messages(ref),
      ...keys.media(ref),
      ...keys.secrets(ref),
      ...keys.finished(ref),
    ];
    const purged = await purgeSession.run(
      this.#redis,
      [keys.owner(ref), keys.sessions(ref.tenantId), keys.sessionOrder(ref.tenantId), ...doomed],
      [ref.sessionId, TOMBSTONE_MS],
    );
    return purged === 1;
  }

  /**
   * All sessions of all tenants, in pages. A session that exists during the whole scan is yielded once; one that is
   * created or purged meanwhile may be or not.
   */
  async *scan(): AsyncGenerator<SessionRecord[]> {
    let waiting: SessionRef[] = [];
    const seen = new Set<string>();
    for await (const tenantIds of this.#redis.sscanStream(keys.tenants, { count: PAGE })) {
      // SSCAN may give a member twice.
      const fresh = (tenantIds as string[]).filter((id) => !seen.has(id) && seen.add(id));
      waiting.push(...(await Promise.all(fresh.map((id) => this.#refs(id)))).flat());
      while (waiting.length >= PAGE) {
        yield await this.#getMany(waiting.slice(0, PAGE));
        waiting = waiting.slice(PAGE);
      }
    }
    if (waiting.length > 0) yield await this.#getMany(waiting);
  }

  async #refs(tenantId: string): Promise<SessionRef[]> {
    const ids = await this.#redis.smembers(keys.sessions(tenantId));
    return ids.map((sessionId) => ({ tenantId, sessionId }));
  }

  async #getMany(refs: readonly SessionRef[]): Promise<SessionRecord[]> {
    const byTenant = new Map<string, string[]>();
    for (const { tenantId, sessionId } of refs) {
      const ids = byTenant.get(tenantId);
      if (ids === undefined) byTenant.set(tenantId, [sessionId]);
      else ids.push(sessionId);
    }
    const read = await Promise.all(
      [...byTenant].map(([tenantId, ids]) => readSessions(this.#redis, tenantId, ids)),
    );
    return read.flat();
  }
}
