import { JOB_LIMITS, limitError, type TenantLimit, type TenantLimits, WafleetError } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';
import { formatCursor, parseCursor } from '../redis/page-cursor.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { isWrongType } from '../redis/unreadable-records.js';
import { KEPT_MS, keysOf, MAY_BE_SENT } from './job-keys.js';
import { type JobRecord, type JobRef, readJob, readResult, type StoredResult } from './job-record.js';
import type { JobWakeUps, WakeUp } from './job-wake-ups.js';

/** How many ended jobs of a tenant are kept. */
const MAX_ENDED = 1_000;
/** How many records one step of a list reads. */
const READ_AT_ONCE = 100;
/** When a job is looked at whose edge died before it was stored. */
const STORED_WITHIN_MS = 10_000;

/** What a job is made of. Times are ms since 1970. */
export interface NewJob {
  readonly sessionId: string;
  readonly name?: string | undefined;
  /** Default: now. */
  readonly at?: number | undefined;
  /** Default: `JOB_LIMITS.lifeMs.byDefault` after it begins. */
  readonly expiresAt?: number | undefined;
  readonly pace?: number | undefined;
  readonly onError?: 'continue' | 'stop' | undefined;
  /** The recipient of each message, and the JSON of all of it. */
  readonly messages: readonly { readonly to: string; readonly text: string }[];
}

export interface JobPage {
  readonly jobs: readonly JobRecord[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

export type JobChange = 'cancel' | 'pause' | 'resume';

type Created =
  | { readonly outcome: 'stored'; readonly inMs: number; readonly forgotten: readonly string[] }
  | { readonly outcome: 'no-session' }
  | {
      readonly outcome: 'full';
      readonly resource: TenantLimit;
      readonly limit: number;
      readonly used: number;
    };

const createJob = new Script('jobs/create-job', (reply): Created => {
  const [outcome, first, second, third] = asList(reply);
  switch (asText(outcome)) {
    case 'no-session':
      return { outcome: 'no-session' };
    case 'full': {
      const resource = asText(first) === 'jobs' ? 'jobs' : 'jobBytes';
      return { outcome: 'full', resource, limit: asNumber(second), used: asNumber(third) };
    }
    default:
      return { outcome: 'stored', inMs: asNumber(first), forgotten: asList(reply).slice(2).map(asText) };
  }
});
const changeJob = new Script('jobs/change-job', (reply) => {
  const [outcome, inMs] = asList(reply);
  return { outcome: asText(outcome), inMs: asNumber(inMs) };
});

/**
 * The jobs of tenants that send messages: what is to be sent, and what became of it. Each change is one script. The
 * messages are deleted when a job ends, its results seven days later, and everything when its session is removed. All
 * methods reject if Redis does not answer.
 */
export class MessageJobs {
  readonly #redis: RedisConnection;
  readonly #defaults: Pick<TenantLimits, 'jobs' | 'jobBytes'>;
  readonly #wakeUps: JobWakeUps;

  /** @param options.limits the limits of tenants that have none of their own. */
  constructor(
    redis: RedisConnection,
    options: { readonly limits: Pick<TenantLimits, 'jobs' | 'jobBytes'>; readonly wakeUps: JobWakeUps },
  ) {
    this.#redis = redis;
    this.#defaults = options.limits;
    this.#wakeUps = options.wakeUps;
  }

  /**
   * Stores a job, which an edge then runs. A second call for the same job changes nothing.
   * @throws {WafleetError} SESSION_NOT_FOUND; TOO_MANY_JOBS, with `details` {resource, limit, used, retryAfterMs};
   * OUTCOME_UNKNOWN if Redis did not answer.
   */
  async create(ref: JobRef, job: NewJob): Promise<JobRecord> {
    // The wake-up comes first, so that no job is stored without one. It stands in another slot.
    const wakeUp = await this.#wakeUps.put(ref, STORED_WITHIN_MS);
    return madeOrUnknown(this.#store(ref, job, wakeUp), 'Look for it in the list of jobs.');
  }

  async #store(ref: JobRef, job: NewJob, wakeUp: WakeUp | undefined): Promise<JobRecord> {
    const { tenantId } = ref;
    const { sessionId, messages } = job;
    const created = await createJob.run(
      this.#redis,
      [
        ...keysOf(ref),
        ...[keys.jobs(tenantId), keys.tenantLimits(tenantId), keys.sessions(tenantId)],
        keys.session({ tenantId, sessionId }),
      ],
      [
        ...[ref.jobId, sessionId, job.at ?? '', job.expiresAt ?? ''],
        ...[JOB_LIMITS.lifeMs.byDefault, KEPT_MS, MAX_ENDED, this.#defaults.jobs, this.#defaults.jobBytes],
        ...[job.name ?? '', job.pace ?? '', job.onError ?? 'continue', messages.length],
        ...messages.map(({ to }) => to),
        ...messages.map(({ text }) => text),
      ],
    );
    if (created.outcome === 'stored') {
      await this.#wakeUps.put(ref, created.inMs, wakeUp?.score);
      await this.#forget(tenantId, created.forgotten);
      return this.#require(ref);
    }
    await this.#wakeUps.put(ref, undefined, wakeUp?.score);
    if (created.outcome === 'full') throw limitError(created.resource, 'TOO_MANY_JOBS', created);
    throw new WafleetError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`);
  }

  /** Returns undefined if there is no such job. */
  async get(ref: JobRef): Promise<JobRecord | undefined> {
    const fields = this.#redis.hgetall(keys.jobRecord(ref.tenantId, ref.jobId));
    return readJob(ref, await fields.catch(ifWrongType({})));
  }

  /**
   * A page of the tenant's jobs, the newest first.
   * @param options.cursor `nextCursor` of the page before.
   * @throws {WafleetError} VALIDATION_FAILED if the cursor was not issued here.
   */
  async page(
    tenantId: string,
    options: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly matches: (job: JobRecord) => boolean;
    },
  ): Promise<JobPage> {
    const { limit, cursor, matches } = options;
    const jobs: JobRecord[] = [];
    for await (const job of this.#newestFirst(tenantId, cursor)) {
      if (!matches(job)) continue;
      if (jobs.length === limit) return { jobs, nextCursor: cursorOf(jobs.at(-1)) };
      jobs.push(job);
    }
    return { jobs, nextCursor: undefined };
  }

  /** The results of the messages from an index on, in their order. */
  async results({ tenantId, jobId }: JobRef, from: number, count: number): Promise<StoredResult[]> {
    const entries = this.#redis.lrange(keys.jobResults(tenantId, jobId), from, from + count - 1);
    return (await entries.catch(ifWrongType([]))).map(readResult);
  }

  /**
   * Changes an active job. A message that is being sent is not stopped.
   * @throws {WafleetError} JOB_NOT_FOUND; JOB_ENDED, unless it is to be cancelled.
   */
  async change(ref: JobRef, change: JobChange): Promise<JobRecord> {
    const { outcome, inMs } = await changeJob.run(this.#redis, keysOf(ref), [
      ...[ref.jobId, change, KEPT_MS, MAY_BE_SENT],
    ]);
    // Of a cancelled job an edge removes the wake-up.
    if (outcome === 'changed') await this.#wakeUps.put(ref, Math.max(0, inMs));
    const job = await this.#require(ref);
    if (outcome === 'ended' && change !== 'cancel') {
      const details = { state: job.state };
      throw new WafleetError('JOB_ENDED', `The job is ${job.state}.`, details);
    }
    return job;
  }

  /** @throws {WafleetError} JOB_NOT_FOUND */
  async #require(ref: JobRef): Promise<JobRecord> {
    const job = await this.get(ref);
    if (job === undefined) throw jobNotFound(ref);
    return job;
  }

  async *#newestFirst(tenantId: string, cursor: string | undefined): AsyncGenerator<JobRecord> {
    const before = cursor === undefined ? undefined : readCursor(cursor);
    const order = keys.jobs(tenantId);
    const newest = before === undefined ? '+inf' : before.createdAt;
    for (let offset = 0; ; offset += READ_AT_ONCE) {
      const ids = await this.#redis
        .zrevrangebyscore(order, newest, '-inf', 'LIMIT', offset, READ_AT_ONCE)
        .catch(ifWrongType<string[]>([]));
      const records = await Promise.all(ids.map((jobId) => this.get({ tenantId, jobId })));
      for (const job of records) {
        if (job === undefined) continue;
        const isBefore = before !== undefined && job.createdAt === before.createdAt;
        // Of the same ms, the order is the reverse one of the ids.
        if (!isBefore || job.jobId < before.jobId) yield job;
      }
      if (ids.length < READ_AT_ONCE) return;
    }
  }

  async #forget(tenantId: string, jobIds: readonly string[]): Promise<void> {
    const doomed = jobIds.flatMap((jobId) => keysOf({ tenantId, jobId }).slice(0, 3));
    if (doomed.length > 0) await this.#redis.unlink(...doomed);
  }
}

/** Returns the value in place of a record of another type, as damage or another release may leave it. */
function ifWrongType<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isWrongType(error)) return value;
    throw error;
  };
}

export function jobNotFound({ jobId }: JobRef): WafleetError {
  return new WafleetError('JOB_NOT_FOUND', `There is no job ${jobId}.`);
}

function cursorOf(job: JobRecord | undefined): string | undefined {
  return job && formatCursor({ at: String(job.createdAt), id: job.jobId });
}

/** @throws {WafleetError} VALIDATION_FAILED */
function readCursor(cursor: string): { readonly createdAt: number; readonly jobId: string } {
  const { at, id } = parseCursor(cursor, /^\w+$/);
  return { createdAt: Number(at), jobId: id };
}
