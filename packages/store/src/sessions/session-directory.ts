import { randomBytes } from 'node:crypto';
import { limitError, type SessionStatus, sessionIdSchema, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import { type DesiredState, readEntry, type SessionRecord } from './session-entry.js';
import { SessionIndex } from './session-index.js';
import type { Fence, SessionRef } from './session-ref.js';

/** How long it is known whether the phone of a purged session knows: for the request that waits for the removal. */
const UNLINKED_KNOWN_MS = 60_000;

/** How many sessions `scan` yields at a time. */
const PAGE = 200;

/** How many sessions of one tenant a script reads: it must not block Redis for long. */
const READ_AT_ONCE = 100;

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

/** When a client whose tenant has too many sessions may try again: one has to be removed first. */
const RETRY_CREATION_MS = 60_000;

const createSession = new Script('sessions/create-session', (reply): Created => {
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
const setStatus = new FencedScript('sessions/set-status', asNumber);
const markQueued = new Script('sessions/mark-queued', asNumber);
const setDesired = new Script('sessions/set-desired', asNumber);
const requeueSession = new Script('sessions/requeue-session', asNumber);
const markRemoval = new Script('sessions/mark-removal', asNumber);
const purgeSession = new Script('sessions/purge-session', asNumber);

interface StoredSession {
  /** Undefined if what is stored is not a hash. */
  readonly entry: Readonly<Record<string, string>> | undefined;
  readonly worker: string | undefined;
}

const readSessions = new Script(
  'sessions/read-sessions',
  (reply): { stored: StoredSession[]; readAt: number } => {
    const parts = asList(reply);
    const stored = Array.from({ length: (parts.length - 1) / 2 }, (_, index) => {
      const entry = parts[2 * index];
      const worker = asText(parts[2 * index + 1]);
      return {
        entry: typeof entry === 'number' ? undefined : fieldsOf(asList(entry).map(asText)),
        worker: worker === '' ? undefined : worker,
      };
    });
    return { stored, readAt: asNumber(parts.at(-1)) };
  },
);

function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
  return fields;
}

function notFound({ sessionId }: SessionRef): WafleetError {
  return new WafleetError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`);
}

/**
 * All sessions of all tenants: which exist, what is wanted of them and what they are. A session whose record cannot be
 * read shows as `failed` with the reason `record-unreadable`, and hides none of the others.
 */
export class SessionDirectory {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger names the records that cannot be read, each once in a while. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Enters a session, wanted open and queued for a worker. The tenant must exist. The number of its sessions is checked
   * in the same step, so that concurrent calls cannot exceed it.
   * @param options.maxSessions how many a tenant may have that has no limit of its own; undefined for any number.
   * @throws {WafleetError} SESSION_EXISTS, TOO_MANY_SESSIONS; OUTCOME_UNKNOWN if Redis was asked and did not answer.
   */
  async create(
    ref: SessionRef,
    options: { name?: string | undefined; maxSessions?: number | undefined } = {},
  ): Promise<SessionRecord> {
    await this.#index.noteUnowned(ref.tenantId);
    const making = createSession.run(
      this.#redis,
      [
        ...[keys.session(ref), keys.sessions(ref.tenantId), keys.owner(ref)],
        ...[keys.sessionOrder(ref.tenantId), keys.tenantLimits(ref.tenantId), keys.unowned(ref.tenantId)],
      ],
      [ref.sessionId, options.name ?? '', options.maxSessions ?? '', randomBytes(6).toString('base64url')],
    );
    const created = await madeOrUnknown(making, `GET /api/sessions/${ref.sessionId} tells.`);
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
    const [record] = await this.#read(ref.tenantId, [ref.sessionId]);
    return record;
  }

  /** Those of the given sessions that exist, in one command for each tenant's hundred. */
  async getMany(refs: readonly SessionRef[]): Promise<SessionRecord[]> {
    const idsOf = new Map<string, string[]>();
    for (const { tenantId, sessionId } of refs) {
      const ids = idsOf.get(tenantId) ?? [];
      idsOf.set(tenantId, ids);
      ids.push(sessionId);
    }
    const batches = [...idsOf].flatMap(([tenantId, ids]) =>
      Array.from({ length: Math.ceil(ids.length / READ_AT_ONCE) }, (_, index) =>
        this.#read(tenantId, ids.slice(index * READ_AT_ONCE, (index + 1) * READ_AT_ONCE)),
      ),
    );
    return (await Promise.all(batches)).flat().filter((record) => record !== undefined);
  }

  /** @throws {WafleetError} SESSION_NOT_FOUND */
  async require(ref: SessionRef): Promise<SessionRecord> {
    const record = await this.get(ref);
    if (record === undefined) throw notFound(ref);
    return record;
  }

  /** The tenant's sessions, oldest first. */
  async list(tenantId: string): Promise<SessionRecord[]> {
    const records = await this.getMany(await this.#refs(tenantId));
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
    await this.#index.noteUnowned(ref.tenantId);
    const marked = await markQueued.run(
      this.#redis,
      [keys.owner(ref), keys.session(ref), keys.unowned(ref.tenantId)],
      [reason ?? '', deadWorker ?? '', ref.sessionId],
    );
    return marked === 1;
  }

  /**
   * Queues a session for a worker, whatever its status, and wants it open. What this release cannot read of its record
   * is replaced. Returns false if a worker owns it, if its status is no longer the given one, or if there is no such
   * session; then nothing changed.
   * @param options.notOwner a worker that loses the session if it is the owner: it is dead, or does not release a
   * session that rests.
   * @param options.status default: any.
   */
  async requeue(
    ref: SessionRef,
    options: {
      readonly reason: string;
      readonly notOwner?: string | undefined;
      readonly status?: SessionStatus | undefined;
    },
  ): Promise<boolean> {
    const { reason, notOwner = '', status = '' } = options;
    const { stored } = await readSessions.run(this.#redis, [keys.session(ref), keys.owner(ref)], []);
    const { unreadable = [] } = readEntry(ref, stored[0]?.entry, undefined);
    await this.#index.noteUnowned(ref.tenantId);
    const requeued = await requeueSession.run(
      this.#redis,
      [
        ...[keys.owner(ref), keys.session(ref), keys.unowned(ref.tenantId)],
        keys.owned(ref.tenantId, notOwner),
      ],
      [reason, notOwner, status, ref.sessionId, ...unreadable],
    );
    return requeued === 1;
  }

  /** @throws {WafleetError} SESSION_NOT_FOUND */
  async setDesired(ref: SessionRef, desired: DesiredState): Promise<void> {
    if ((await setDesired.run(this.#redis, [keys.session(ref)], [desired])) === 0) throw notFound(ref);
  }

  /**
   * Removes a session: directory entry, ownership, credentials, QR code, recent messages and files. Its owner, if
   * there is one, is fenced off. Events that it published stay in its tenant's log until they are trimmed. What remains
   * is the tenant's highest epoch, in one key for all sessions, and for a minute what `wasUnlinked` says. Returns false
   * if there was no such session.
   * @param options.fence who may purge it alone; without effect when it is no longer the owner.
   * @param options.ifMarked purges only a session for which `markRemoval` was called.
   * @param options.isUnlinked what `removal` then says of it.
   */
  async purge(
    ref: SessionRef,
    options: { readonly fence?: Fence; readonly ifMarked?: boolean; readonly isUnlinked?: boolean } = {},
  ): Promise<boolean> {
    const { fence, ifMarked = false, isUnlinked } = options;
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
    // One that is claimed meanwhile stays in the set of its new worker until that is looked at.
    const worker = await this.#redis.hget(keys.owner(ref), 'worker').catch(() => null);
    const purged = await purgeSession.run(
      this.#redis,
      [
        ...[keys.owner(ref), keys.sessions(ref.tenantId), keys.unowned(ref.tenantId)],
        ...[keys.owned(ref.tenantId, worker ?? ''), keys.sessionOrder(ref.tenantId)],
        ...[keys.purgedEpoch(ref.tenantId), ...doomed],
      ],
      [
        ...[ref.sessionId, UNLINKED_KNOWN_MS, fence?.epoch ?? '', fence?.worker ?? '', ifMarked ? '1' : ''],
        isUnlinked === undefined ? '' : Number(isUnlinked),
      ],
    );
    return purged === 1;
  }

  /**
   * Notes that a session is to be removed as soon as its phone knows. Without an owner it is queued for a worker,
   * which logs it out and purges it; an owner has to be asked.
   * @param options.deadWorker does not count as an owner.
   * @param options.patienceMs after that it is purged whether the phone knows or not.
   * Returns whether this call made the note; false if an earlier one had.
   * @throws {WafleetError} SESSION_NOT_FOUND
   */
  async markRemoval(
    ref: SessionRef,
    options: { readonly deadWorker?: string | undefined; readonly patienceMs: number },
  ): Promise<boolean> {
    const { deadWorker = '', patienceMs } = options;
    await this.#index.noteUnowned(ref.tenantId);
    const marked = await markRemoval.run(
      this.#redis,
      [
        ...[keys.owner(ref), keys.session(ref), keys.unowned(ref.tenantId)],
        keys.owned(ref.tenantId, deadWorker),
      ],
      [ref.sessionId, deadWorker, patienceMs],
    );
    if (marked === 0) throw notFound(ref);
    return marked === 1;
  }

  /** Takes the note back, for a session that its owner could not remove. */
  async unmarkRemoval(ref: SessionRef): Promise<void> {
    await this.#redis.hdel(keys.session(ref), 'removeBy', 'removeAfter', 'removeAttempts');
  }

  /** Whether the phone of a session that was removed knows; undefined if that is not known. */
  async wasUnlinked(ref: SessionRef): Promise<boolean | undefined> {
    const unlinked = await this.#redis.hget(keys.owner(ref), 'unlinked');
    return unlinked === null ? undefined : unlinked === '1';
  }

  /** Whether credentials of the session are stored, of a link or of one that was begun. */
  async hasCredentials(ref: SessionRef): Promise<boolean> {
    return (await this.#redis.exists(keys.auth(ref))) === 1;
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
        yield await this.getMany(waiting.slice(0, PAGE));
        waiting = waiting.slice(PAGE);
      }
    }
    if (waiting.length > 0) yield await this.getMany(waiting);
  }

  async #refs(tenantId: string): Promise<SessionRef[]> {
    const ids = await this.#unreadable.readOr(this.#redis.smembers(keys.sessions(tenantId)), [], {
      ...{ kind: 'sessions-of-tenant', name: tenantId, tenantId },
    });
    return ids.flatMap((sessionId) => {
      if (sessionIdSchema.safeParse(sessionId).success) return [{ tenantId, sessionId }];
      this.#unreadable.report({ kind: 'session-id', name: `${tenantId}/${sessionId}`, tenantId });
      return [];
    });
  }

  /** In the order of the ids; undefined for those that do not exist. */
  async #read(tenantId: string, sessionIds: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    const refs = sessionIds.map((sessionId) => ({ tenantId, sessionId }));
    const { stored, readAt } = await readSessions.run(
      this.#redis,
      refs.flatMap((ref) => [keys.session(ref), keys.owner(ref)]),
      [],
    );
    return refs.map((ref, index) => {
      const { entry, worker } = stored[index] ?? { entry: {}, worker: undefined };
      if (entry !== undefined && Object.keys(entry).length === 0) return undefined;
      const { record, unreadable } = readEntry(ref, entry, worker);
      if (unreadable !== undefined) {
        const name = `${tenantId}/${ref.sessionId}`;
        this.#unreadable.report({ kind: 'session', name, ...ref, fields: unreadable });
      }
      return record.removeBy === undefined ? record : { ...record, readAt };
    });
  }
}
