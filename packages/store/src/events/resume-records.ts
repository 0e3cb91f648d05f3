import { createHash } from 'node:crypto';
import {
  DEFAULT_TENANT_LIMITS,
  type EventPosition,
  formatEventId,
  parseEventId,
  type TenantLimits,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';

/** The proven progress of a client. */
export interface ResumePoint {
  /** The client has received everything up to this position. */
  readonly position: EventPosition;
  /** Whether it has received the complete state of its sessions. */
  readonly isIntroduced: boolean;
}

/** The subscription of a client. */
export interface ResumeSubscription extends ResumePoint {
  /** The value that was passed to `save`. */
  readonly subscription: string;
}

/** The state from which a reconnecting client continues. */
export interface ResumeRecord {
  /** The API key of the client. */
  readonly keyId: string;
  /** Undefined if the client has not subscribed to anything. */
  readonly subscribed: ResumeSubscription | undefined;
}

/** Identifies a client that resumes: the tenant of its API key, and the secret it received when it first connected. */
export interface ResumeRef {
  readonly tenantId: string;
  readonly secret: string;
}

/** Bounds of the client records of a tenant that has no limits of its own. */
type ResumeLimits = Pick<TenantLimits, 'resumeRecords' | 'resumeBytes'>;

/** How long a client that never answered a ping is remembered, ms. Such a client may only connect and never read. */
const UNPROVEN_LIFE_MS = 15 * 60 * 1000;

const saveResume = new Script('events/save-resume', asNumber);
const advanceResume = new Script('events/advance-resume', asNumber);
const deleteResume = new Script('events/delete-resume', asNumber);

function hashOf({ secret }: ResumeRef): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/**
 * The subscriptions and progress of clients, so that a client can continue at any edge. A record is found by a secret
 * that only its client knows; Redis stores a hash of the secret. The record is stored under the tenant, so that the
 * secret of another tenant's client finds nothing. It is kept for `lifeMs` after the last write, or for 15 minutes
 * until the first `advance` or `keep`. If a tenant exceeds its limits `resumeRecords` or `resumeBytes`, the API key
 * with most bytes loses its least recently written records.
 */
export class ResumeRecords {
  readonly #redis: RedisConnection;
  readonly #lifeMs: number;
  readonly #limits: ResumeLimits;
  readonly #unreadable: UnreadableRecords;

  /**
   * @param options.logger logs the names of unreadable records, each once in five minutes. Such a client is forgotten.
   */
  constructor(redis: RedisConnection, options: { lifeMs: number; limits?: ResumeLimits; logger?: Logger }) {
    this.#redis = redis;
    this.#lifeMs = options.lifeMs;
    this.#limits = options.limits ?? DEFAULT_TENANT_LIMITS;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** How long a record is kept after the last write, ms. */
  get lifeMs(): number {
    return this.#lifeMs;
  }

  /** Creates the record of a new client, which is not subscribed to anything. */
  async create(ref: ResumeRef, keyId: string): Promise<void> {
    await this.#save(ref, keyId, []);
  }

  /** Writes a client's subscription and progress, and replaces what is stored. */
  async save(ref: ResumeRef, keyId: string, subscribed: ResumeSubscription): Promise<void> {
    await this.#save(ref, keyId, ['subscription', subscribed.subscription, ...fieldsOf(subscribed)]);
  }

  /** Writes a client's progress, if it has a record. The position may move back. */
  async advance(ref: ResumeRef, point: ResumePoint): Promise<void> {
    await this.#advance(ref, fieldsOf(point));
  }

  /** Extends the life of a record, if there is one, to its full length from now. */
  async keep(ref: ResumeRef): Promise<void> {
    await this.#advance(ref, []);
  }

  async find(ref: ResumeRef): Promise<ResumeRecord | undefined> {
    const hash = hashOf(ref);
    const read = this.#redis.hgetall(keys.resume(ref.tenantId, hash));
    const { key, subscription, position, introduced } = await this.#unreadable.readOr(
      read,
      {},
      {
        ...{ kind: 'resume', name: hash, tenantId: ref.tenantId },
      },
    );
    if (key === undefined) return undefined;
    const parsed = parseEventId(position ?? '');
    if (subscription === undefined || parsed === undefined) return { keyId: key, subscribed: undefined };
    return { keyId: key, subscribed: { subscription, position: parsed, isIntroduced: introduced !== '0' } };
  }

  async delete(ref: ResumeRef): Promise<void> {
    await this.#run(deleteResume, ref, []);
  }

  async #save(ref: ResumeRef, keyId: string, fields: readonly string[]): Promise<void> {
    const { resumeRecords, resumeBytes } = this.#limits;
    const unprovenMs = Math.min(UNPROVEN_LIFE_MS, this.#lifeMs);
    const bounds = [this.#lifeMs, unprovenMs, resumeRecords, resumeBytes];
    await this.#run(saveResume, ref, [keyId, ...bounds, 'key', keyId, ...fields]);
  }

  async #advance(ref: ResumeRef, fields: readonly string[]): Promise<void> {
    await this.#run(advanceResume, ref, [this.#lifeMs, ...fields]);
  }

  async #run(script: Script<number>, ref: ResumeRef, args: readonly (string | number)[]): Promise<void> {
    const hash = hashOf(ref);
    await script.run(
      this.#redis,
      [keys.resume(ref.tenantId, hash), keys.tenantLimits(ref.tenantId)],
      [keys.ofTenant(ref.tenantId), hash, ...args],
    );
  }
}

/** The number of client records of a tenant, and their bytes. Expired records may count for some time. */
export async function countResumeRecords(
  redis: RedisConnection,
  tenantId: string,
): Promise<{ records: number; bytes: number }> {
  const [records, bytes] = await redis.hmget(keys.resumeTotals(tenantId), '#', '*');
  return { records: Number(records ?? 0), bytes: Number(bytes ?? 0) };
}

function fieldsOf({ position, isIntroduced }: ResumePoint): string[] {
  return ['position', formatEventId(position), 'introduced', isIntroduced ? '1' : '0'];
}
