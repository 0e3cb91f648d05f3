import { JOB_LIMITS } from '@wafleet/contract';
import { keys } from '../redis/keyspace.js';
import { errorText, type JobRef } from './job-record.js';

/** The first keys of all scripts that change a job: see change-parts.lua. */
export function keysOf({ tenantId, jobId }: JobRef): string[] {
  return [
    keys.jobRecord(tenantId, jobId),
    keys.jobTexts(tenantId, jobId),
    keys.jobResults(tenantId, jobId),
    keys.jobsActive(tenantId),
    keys.jobsEnded(tenantId),
    keys.jobSizes(tenantId),
  ];
}

/** The name of a job among all that are due. */
export function dueMember({ tenantId, jobId }: JobRef): string {
  return `${tenantId}/${jobId}`;
}

/** How long an ended job is kept, ms. */
export const { keptMs: KEPT_MS } = JOB_LIMITS;

/** The error of a message that may have been sent. */
export const MAY_BE_SENT = errorText({
  code: 'OUTCOME_UNKNOWN',
  message: 'The message may or may not have been sent.',
});
