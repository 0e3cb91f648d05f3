import { randomBytes } from 'node:crypto';
import {
  type LinkProgress,
  limitError,
  type SessionStatus,
  sessionIdSchema,
  WafleetError,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { AccountDevices } from '../accounts/account-devices.js';
import { forgetIdempotencyOf } from '../idempotency/idempotency-records.js';
import { forgetJobsOf } from '../jobs/forget-jobs.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import { type DesiredState, readEntry, type SessionRecord } from './session-entry.js';
import { SessionIndex } from './session-index.js';

/** How long `wasUnlinked` is known of a purged session. The request that waits for the removal needs it. */
const UNLINKED_KNOWN_MS = 60_000;

/** How many sessions `scan` yields at a time. */
const PAGE = 200;

/** How many sessions of one tenant a script reads, so that it does not block Redis for long. */
const READ_AT_ONCE = 100;

/** What a session's owner reports about it. */
export interface StatusUpdate {
  readonly status: SessionStatus;
  /** If undefined, an earlier reason is removed. */
  readonly reason?: string | undefined;
  /** Undefined keeps the phone number, null removes it. */
  readonly phone?: string | null | undefined;
  /** As `linkedDevice` names it, set and removed with the phone number. */
  readonly device?: string | undefined;
  /** Undefined keeps what is stored of the link, null removes it. */
  readonly link?: LinkProgress | null | undefined;
}

/** The credentials that a session is created with. */
export interface LinkedAccount {
  /** The account's number, digits only. */
  readonly phone: string;
  /** As `linkedDevice` names it. */
  readonly device: string;
  /** As `newCreationId` gives it. The note of the device has it already. */
  readonly madeBy: string;
  /** The credentials, sealed for workers: see imported-credentials.ts. */
  readonly box: Buffer;
}

/** What a session is created with. */
export interface NewSessionOptions {
  readonly name?: string | undefined;
  /** The limit of a tenant that has none of its own. Default: unlimited. */
  readonly maxSessions?: number | undefined;
  /** Who creates it. A second call with the same value gets the first one's answer. Default: random. */
  readonly madeBy?: string | undefined;
  /** What is set for it from the start; see SessionSettingsRecords. Default: nothing. */
  readonly settings?:
    | { readonly plain: Readonly<Record<string, unknown>>; readonly proxy: Buffer | '' }
    | undefined;
}

type Created =
  | { readonly outcome: 'exists' }
  | { readonly outcome: 'no-tenant' }
  | { readonly outcome: 'full'; readonly limit: number; readonly used: number }
  | { readonly outcome: 'created'; readonly createdAt: number };

/** When a client whose tenant has too many sessions may retry. A session must be removed before. */
const RETRY_CREATION_MS = 60_000;

const createSession = new Script('sessions/create-session', (reply): Created => {
  const [outcome, first, second] = asList(reply);
  switch (asText(outcome)) {
    case 'exists':
      return { outcome: 'exists' };
    case 'no-tenant':
      return { outcome: 'no-tenant' };
    case 'full':
      return { outcome: 'full', limit: asNumber(first), used: asNumber(second) };
    default:
      return { outcome: 'created', createdAt: asNumber(first) };
  }
});
const setStatus = new FencedScript('sessions/set-status', (reply) => {
  const [former, madeBy] = asList(reply);
  return { former: asText(former), madeBy: asText(madeBy) };
});
const markQueued = new Script('sessions/mark-queued', asNumber);
const setDesired = new Script('sessions/set-desired', asNumber);
const requeueSession = new Script('sessions/requeue-session', asNumber);
const markRemoval = new Script('sessions/mark-removal', asNumber);
const purgeSession = new Script('sessions/purge-session', asNumber);

/** `marked`: this call set the mark. `was-marked`: an earlier one had. `handed-out`: see `markRemoval`. */
export type RemovalMark = 'marked' | 'was-marked' | 'handed-out';

/** By the answer of the script, which is 0 if there is no such session. */
const REMOVAL_MARKS: readonly (RemovalMark | undefined)[] = [undefined, 'marked', 'was-marked', 'handed-out'];

interface StoredSession {
  /** Undefined if the stored record is not a hash. */
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

/** An id of a call that creates a session. It tells the session from later ones with the same id. */
export function newCreationId(): string {
  return randomBytes(6).toString('base64url');
}

/** The error of a session that does not exist. */
export function notFound({ sessionId }: SessionRef): WafleetError {
  return new WafleetError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`);
}

/**
 * All sessions of all tenants, with their desired and their actual states. A session whose record cannot be read shows
 * as `failed` with the reason `record-unreadable`, and does not hide the others.
 */
export class SessionDirectory {
  readonly #redis: RedisConnection;
  readonly #index: SessionIndex;
  readonly #devices: AccountDevices;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable records, each once in five minutes. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#index = new SessionIndex(redis);
    this.#devices = new AccountDevices(redis);
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Creates a session with the desired state open, and queues it for a worker. The tenant must exist. The tenant's
   * number of sessions is checked in the same step, so that concurrent calls cannot exceed the limit.
   * @param options.linked credentials that are stored in the same step, so that no worker opens the session without.
   * @throws {WafleetError} SESSION_EXISTS, TOO_MANY_SESSIONS; UNAUTHORIZED if the tenant is being removed; OUTCOME_UNKNOWN if the command was sent and got no
   * answer.
   */
  async create(
    ref: SessionRef,
    options: NewSessionOptions & { readonly linked?: LinkedAccount | undefined } = {},
  ): Promise<SessionRecord> {
    const { name, maxSessions, settings, linked, madeBy = newCreationId() } = options;
    await this.#index.noteUnowned(ref.tenantId);
    const making = createSession.run(
      this.#redis,
      [
        ...[keys.session(ref), keys.sessions(ref.tenantId), keys.owner(ref)],
        ...[keys.sessionOrder(ref.tenantId), keys.tenantLimits(ref.tenantId), keys.unowned(ref.tenantId)],
        ...[keys.settings(ref), keys.auth(ref), keys.tenantRemoval(ref.tenantId)],
      ],
      [
        ...[ref.sessionId, name ?? '', maxSessions ?? '', linked?.madeBy ?? madeBy],
        ...[settings === undefined ? '' : JSON.stringify(settings.plain), settings?.proxy ?? ''],
        ...[linked?.box ?? '', linked?.phone ?? '', linked?.device ?? ''],
      ],
    );
    const created = await madeOrUnknown(
      making,
      `GET /api/sessions/${ref.sessionId} shows whether it exists.`,
    );
    if (created.outcome === 'exists') {
      throw new WafleetError('SESSION_EXISTS', `There is a session ${ref.sessionId} already.`);
    }
    if (created.outcome === 'no-tenant') {
      throw new WafleetError('UNAUTHORIZED', 'The tenant of the API key was removed.');
    }
    if (created.outcome === 'full') {
      const { limit, used } = created;
      throw limitError('sessions', 'TOO_MANY_SESSIONS', { limit, used, retryAfterMs: RETRY_CREATION_MS });
    }
    const { createdAt } = created;
    return {
      tenantId: ref.tenantId,
      sessionId: ref.sessionId,
      ...(name === undefined ? {} : { name }),
      ...(linked === undefined ? {} : { phone: linked.phone, device: linked.device, importedAt: createdAt }),
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

  /** Returns those of the given sessions that exist. Sends one command for each hundred sessions of a tenant. */
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

  /** Returns those of the given ids that are sessions of the tenant. */
  async exist(tenantId: string, sessionIds: readonly string[]): Promise<Set<string>> {
    if (sessionIds.length === 0) return new Set();
    const found = await this.#redis.smismember(keys.sessions(tenantId), [...sessionIds]);
    return new Set(sessionIds.filter((_, index) => found[index] === 1));
  }

  /** Writes the status that the owner reports. @throws {FencedError} if the fence no longer owns the session. */
  async setStatus(fence: Fence, { status, reason, phone, device = '', link }: StatusUpdate): Promise<void> {
    const phoneAction = phone === undefined ? 'keep' : phone === null ? 'clear' : 'set';
    const linkAction = link === undefined ? 'keep' : link === null ? 'clear' : 'set';
    const { former, madeBy } = await setStatus.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.session(fence)],
      [
        ...[status, reason ?? '', phoneAction, phone ?? '', phoneAction === 'set' ? device : ''],
        ...[linkAction, link ? JSON.stringify(link) : ''],
      ],
    );
    const holder = { ...fence, madeBy };
    if (former !== '') await this.#devices.release(former, holder);
    if (phoneAction === 'set' && device !== '') await this.#devices.note(device, holder);
  }

  /**
   * Shows a session as queued. Returns false, and changes nothing, if a worker owns it, if its credentials were handed
   * out, or if there is no such session.
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
   * Queues a session for a worker, and sets its desired state to open. Replaces the fields of its record that this
   * release cannot read. Returns false, and changes nothing, if a worker owns it, if its status is not the given one,
   * or if there is no such session.
   * @param options.notOwner a worker that loses the session if it is the owner, because it is dead or does not release
   * a resting session.
   * @param options.status Default: any.
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
   * Removes a session: directory entry, ownership, credentials, settings, QR code, recent messages, files and uploads. Its
   * owner, if there is one, is fenced off. Events that it published stay in its tenant's log until they are trimmed. Two things
   * remain: the highest epoch of the tenant's purged sessions, in one key for all of them, and for a minute the value
   * of `wasUnlinked`. Returns false if there was no such session.
   * @param options.fence If given, purges only if this fence still owns the session.
   * @param options.ifMarked If true, purges only a session for which `markRemoval` was called.
   * @param options.isUnlinked the value that `wasUnlinked` then returns.
   */
  async purge(
    ref: SessionRef,
    options: { readonly fence?: Fence; readonly ifMarked?: boolean; readonly isUnlinked?: boolean } = {},
  ): Promise<boolean> {
    const { fence, ifMarked = false, isUnlinked } = options;
    const doomed = [
      keys.session(ref),
      keys.auth(ref),
      keys.settings(ref),
      keys.callReplies(ref),
      ...[keys.sends(ref), keys.newChats(ref), keys.knownChats(ref), keys.sendPause(ref)],
      keys.qr(ref),
      keys.pairingCode(ref),
      keys.passkeyLink(ref),
      ...keys.messages(ref),
      ...keys.media(ref),
      ...keys.uploads(ref),
      ...keys.secrets(ref),
      ...keys.finished(ref),
      ...keys.lists(ref),
    ];
    // If the session is claimed meanwhile, its id stays in the set of its new worker until that set is next checked.
    const worker = await this.#redis.hget(keys.owner(ref), 'worker').catch(() => null);
    const [device, madeBy] = await this.#redis
      .hmget(keys.session(ref), 'device', 'madeBy')
      .catch(() => [null, null]);
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
    if (purged === 1) {
      await forgetIdempotencyOf(this.#redis, ref);
      await forgetJobsOf(this.#redis, ref);
    }
    if (purged === 1 && device != null) {
      await this.#devices.release(device, { ...ref, madeBy: madeBy ?? '' });
    }
    return purged === 1;
  }

  /**
   * Marks a session for removal, which happens as soon as its phone knows of the logout. A session without an owner is
   * queued for a worker, which logs it out and purges it. If it has an owner, the caller must ask that worker.
   * @param options.deadWorker does not count as an owner.
   * @param options.patienceMs time after which the session is purged even if the phone does not know.
   * @returns `handed-out`, and changes nothing, if its credentials were handed out: its device may be used elsewhere, and
   * a worker would log it out. Any of them ends an export that is under way.
   * @throws {WafleetError} SESSION_NOT_FOUND
   */
  async markRemoval(
    ref: SessionRef,
    options: { readonly deadWorker?: string | undefined; readonly patienceMs: number },
  ): Promise<RemovalMark> {
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
    const mark = REMOVAL_MARKS[marked];
    if (mark === undefined) throw notFound(ref);
    return mark;
  }

  /** Removes the mark, for a session that its owner could not remove. */
  async unmarkRemoval(ref: SessionRef): Promise<void> {
    await this.#redis.hdel(keys.session(ref), 'removeBy', 'removeAfter', 'removeAttempts');
  }

  /** Whether the phone of a removed session knows of the logout. Undefined if that is not known. */
  async wasUnlinked(ref: SessionRef): Promise<boolean | undefined> {
    const unlinked = await this.#redis.hget(keys.owner(ref), 'unlinked');
    return unlinked === null ? undefined : unlinked === '1';
  }

  /** Whether credentials of the session are stored, of a complete or of an unfinished link. */
  async hasCredentials(ref: SessionRef): Promise<boolean> {
    return (await this.#redis.exists(keys.auth(ref))) === 1;
  }

  /**
   * Yields all sessions of all tenants, in pages. A session that exists during the whole scan is yielded once. A
   * session that is created or purged meanwhile may or may not be yielded.
   */
  async *scan(): AsyncGenerator<SessionRecord[]> {
    let waiting: SessionRef[] = [];
    const seen = new Set<string>();
    for await (const tenantIds of this.#redis.sscanStream(keys.tenants, { count: PAGE })) {
      // SSCAN may return a member twice.
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

  /** Returns records in the order of the ids, undefined for those that do not exist. */
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
      const isTimed = record.removeBy !== undefined || record.exportRequest !== undefined;
      return isTimed ? { ...record, readAt } : record;
    });
  }
}
