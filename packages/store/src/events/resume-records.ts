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

/** How far a client has got, as far as that is proven. */
export interface ResumePoint {
  /** Everything up to here has arrived at the client. */
  readonly position: EventPosition;
  /** Whether it has all that it was to be told of how its sessions are. */
  readonly isIntroduced: boolean;
}

/** What a client is subscribed to. */
export interface ResumeSubscription extends ResumePoint {
  /** As it was given to `save`. */
  readonly subscription: string;
}

/** What a client that reconnects goes on with. */
export interface ResumeRecord {
  /** The API key that the client had. */
  readonly keyId: string;
  /** undefined for one that has not subscribed to anything. */
  readonly subscribed: ResumeSubscription | undefined;
}

/** Who resumes: the tenant of its API key, and the secret that it was given when it first connected. */
export interface ResumeRef {
  readonly tenantId: string;
  readonly secret: string;
}

/** How much is remembered of the clients of a tenant that has no limits of its own. */
type ResumeLimits = Pick<TenantLimits, 'resumeRecords' | 'resumeBytes'>;

/** How long a client is remembered that never answered a ping, ms: it may be one that only connects. */
const UNPROVEN_LIFE_MS = 15 * 60 * 1000;

const saveResume = new Script('events/save-resume', asNumber);
const advanceResume = new Script('events/advance-resume', asNumber);
const deleteResume = new Script('events/delete-resume', asNumber);

function hashOf({ secret }: ResumeRef): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/**
 * What clients are subscribed to and how far they have got, for whichever edge they come back to. A record is found
 * by a secret that only its client knows, of which a hash is stored; it stands under the tenant, so that the secret of
 * another tenant's client finds nothing. It is kept for `lifeMs` after the last write; until the first `advance` or
 * `keep`, for 15 minutes. Beyond the tenant's limits `resumeRecords` and `resumeBytes` the API key with most bytes loses
 * the records that were written longest ago.
 */
export class ResumeRecords {
  readonly #redis: RedisConnection;
  readonly #lifeMs: number;
  readonly #limits: ResumeLimits;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger names the records that cannot be read, each once in a while; such a client is forgotten. */
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

  /** Notes a new client, which is not subscribed to anything. */
  async create(ref: ResumeRef, keyId: string): Promise<void> {
    await this.#save(ref, keyId, []);
  }

  /** Writes what a client is subscribed to and how far it has got, whatever stands there. */
  async save(ref: ResumeRef, keyId: string, subscribed: ResumeSubscription): Promise<void> {
    await this.#save(ref, keyId, ['subscription', subscribed.subscription, ...fieldsOf(subscribed)]);
  }

  /** Writes how far a client has got, if it has a record; its position may move back. */
  async advance(ref: ResumeRef, point: ResumePoint): Promise<void> {
    await this.#advance(ref, fieldsOf(point));
  }

  /** Keeps a record, if there is one, for its whole life from now on. */
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

/** How many records of clients a tenant has, and how many bytes these have. Expired ones may count for some time. */
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
