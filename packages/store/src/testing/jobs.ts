import { DEFAULT_TENANT_LIMITS, type TenantLimits } from '@wafleet/contract';
import type { JobRecord, JobRef } from '../jobs/job-record.js';
import { type JobRun, JobRuns } from '../jobs/job-runs.js';
import { JobWakeUps } from '../jobs/job-wake-ups.js';
import { MessageJobs, type NewJob } from '../jobs/message-jobs.js';
import type { RedisConnection } from '../redis/connection.js';
import { SessionDirectory } from '../sessions/session-directory.js';

export const TENANT = 'tnt_a';
export const JOB: JobRef = { tenantId: TENANT, jobId: 'job_1' };

/** The stores of jobs, and a session to send with. */
export interface JobStores {
  readonly jobs: MessageJobs;
  readonly runs: JobRuns;
  readonly wakeUps: JobWakeUps;
  /** Stores a job of `count` texts. */
  store(ref: JobRef, count: number, options?: Partial<NewJob>): Promise<JobRecord>;
  /** Begins a run. @throws {Error} if the job cannot be run now. */
  claimed(ref?: JobRef, token?: string): Promise<JobRun>;
}

export async function jobStores(
  redis: RedisConnection,
  limits: Partial<TenantLimits> = {},
): Promise<JobStores> {
  const wakeUps = new JobWakeUps(redis);
  const jobs = new MessageJobs(redis, { limits: { ...DEFAULT_TENANT_LIMITS, ...limits }, wakeUps });
  const runs = new JobRuns(redis);
  await new SessionDirectory(redis).create({ tenantId: TENANT, sessionId: 'shop' });
  return {
    jobs,
    runs,
    wakeUps,
    store: (ref, count, options = {}) =>
      jobs.create(ref, {
        sessionId: 'shop',
        messages: Array.from({ length: count }, (_, index) => ({
          to: `1555000100${index}`,
          text: `{"to":"1555000100${index}","text":"${index}"}`,
        })),
        ...options,
      }),
    claimed: async (ref = JOB, token = 'run-1') => {
      const claim = await runs.claim(ref, 'shop', token);
      if (claim.outcome !== 'claimed') throw new Error(`the claim is ${claim.outcome}`);
      return claim.run;
    },
  };
}
