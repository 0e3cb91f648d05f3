import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { isWrongType } from '../redis/unreadable-records.js';
import { dueMember } from './job-keys.js';
import type { JobRef } from './job-record.js';

/** Among how many jobs that are due one `take` chooses. */
const LOOKED_AT = 500;
/** How long the turn of a tenant is remembered. */
const TURN_KNOWN_MS = 60 * 60 * 1000;

/** How often jobs without a wake-up are looked for, by all edges together. */
const RESTORE_MS = 5 * 60 * 1000;
/** Of how many tenants at once. */
const TENANTS_AT_ONCE = 100;

/** A job that was taken. No other process gets it until it is due again. */
export interface WakeUp {
  readonly ref: JobRef;
  /** Shows `put` whether the time at which the job is due was changed since. */
  readonly score: string;
}

export interface TakenWakeUps {
  readonly taken: readonly WakeUp[];
  /** ms until a further job is due; undefined if none waits. */
  readonly nextInMs: number | undefined;
}

const takeDue = new Script('jobs/take-due', (reply) => {
  const [next, score, ...members] = asList(reply);
  return { next: asNumber(next), score: asText(score), members: members.map(asText) };
});
const putDue = new Script('jobs/put-due', asText);

/**
 * When an edge is to look at each job, for all tenants in one order. An entry is only a wake-up: what is to be done is in
 * the record of the job, and a wake-up too many does nothing. A job that is taken is put off, so an edge that dies keeps
 * it from the others for that time only. All methods reject if Redis does not answer.
 */
export class JobWakeUps {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Takes jobs that are due. Tenants take turns: the one whose last job was taken the longest ago comes first.
   * @param options.forMs how long they are put off. `put` changes that.
   * @param options.perTenant how many jobs of a tenant the caller may have: those that it runs already, by `running`, and
   * those that it takes. Default: any number.
   */
  async take(options: {
    readonly count: number;
    readonly forMs: number;
    readonly perTenant?: number;
    readonly running?: ReadonlyMap<string, number>;
  }): Promise<TakenWakeUps> {
    const { count, forMs, perTenant = count, running = new Map<string, number>() } = options;
    const { next, score, members } = await takeDue.run(
      this.#redis,
      [keys.jobsDue, keys.jobTurns],
      [count, forMs, LOOKED_AT, TURN_KNOWN_MS, perTenant, ...[...running].flat()],
    );
    return {
      taken: members.map((member) => ({ ref: refOf(member), score })),
      nextInMs: next < 0 ? undefined : next,
    };
  }

  /**
   * Says when a job is due.
   * @param inMs undefined to remove it.
   * @param score of the caller's wake-up. If the job was changed since, it stays due at the earlier of both times.
   * Without it, likewise.
   * @returns the wake-up that the caller has now; undefined if the job was removed.
   */
  async put(ref: JobRef, inMs: number | undefined, score = ''): Promise<WakeUp | undefined> {
    const now = await putDue.run(this.#redis, [keys.jobsDue], [dueMember(ref), inMs ?? '', score]);
    return now === '' ? undefined : { ref, score: now };
  }

  /**
   * Makes the wake-ups again of active jobs that have none: a failover may lose them, since they are in another slot
   * than the jobs. Does nothing if any process did so in the last five minutes.
   * @param signal once it is aborted, no further tenant is looked at.
   */
  async restore(signal: AbortSignal): Promise<void> {
    if ((await this.#redis.set(keys.jobsChecked, '1', 'PX', RESTORE_MS, 'NX')) !== 'OK') return;
    const tenants = await this.#redis.smembers(keys.tenants);
    for (let from = 0; from < tenants.length && !signal.aborted; from += TENANTS_AT_ONCE) {
      const some = tenants.slice(from, from + TENANTS_AT_ONCE);
      const members = (await Promise.all(some.map((tenantId) => this.#activeOf(tenantId)))).flat();
      if (members.length === 0) continue;
      // Due at once: who takes the job then says when it is due.
      await this.#redis.zadd(keys.jobsDue, 'NX', ...members.flatMap((member) => [1, member]));
    }
  }

  async #activeOf(tenantId: string): Promise<string[]> {
    const ids = await this.#redis
      .zrange(keys.jobsActive(tenantId), 0, '-1')
      .catch((error: unknown): string[] => {
        if (isWrongType(error)) return [];
        throw error;
      });
    return ids.map((jobId) => dueMember({ tenantId, jobId }));
  }
}

function refOf(member: string): JobRef {
  const [tenantId = '', jobId = ''] = member.split('/');
  return { tenantId, jobId };
}
