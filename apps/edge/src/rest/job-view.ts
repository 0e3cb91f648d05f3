import type { JobMessageResult, JobMessageState, JobView } from '@wafleet/contract';
import type { JobRecord, StoredResult } from '@wafleet/store';
import { jobMessageId } from '../jobs/job-message-id.js';

const ENDED: ReadonlySet<JobView['state']> = new Set(['done', 'cancelled', 'failed']);

const instant = (ms: number) => new Date(ms).toISOString();

/** A job as clients see it. */
export function jobView(job: JobRecord): JobView {
  const { jobId, sessionId, state, onError, total, sent, failed, unknown } = job;
  const sending = job.isSending ? 1 : 0;
  const left = Math.max(0, total - job.next - sending);
  const isEnded = ENDED.has(state);
  return {
    id: jobId,
    session: sessionId,
    state,
    onError,
    createdAt: instant(job.createdAt),
    at: instant(job.at),
    expiresAt: instant(job.expiresAt),
    counts: {
      ...{ total, sending, sent, failed, unknown },
      waiting: isEnded ? 0 : left,
      notSent: isEnded ? left : 0,
    },
    progress: total === 0 ? 1 : Math.floor((job.next / total) * 1_000) / 1_000,
    ...(job.name === undefined ? {} : { name: job.name }),
    ...(job.pace === undefined ? {} : { pace: job.pace }),
    ...(job.startedAt === undefined ? {} : { startedAt: instant(job.startedAt) }),
    ...(job.endedAt === undefined ? {} : { endedAt: instant(job.endedAt) }),
    ...nextRunOf(job),
    ...(job.waitsFor === undefined || isEnded ? {} : { waitsFor: job.waitsFor }),
    ...(job.error === undefined ? {} : { error: job.error }),
  };
}

function nextRunOf({ state, at, nextAt = 0 }: JobRecord): Pick<JobView, 'nextRunAt'> {
  if (state === 'scheduled') return { nextRunAt: instant(Math.max(at, nextAt)) };
  return state === 'running' && nextAt > 0 ? { nextRunAt: instant(nextAt) } : {};
}

/** A message of a job, and what became of it, as clients see it. */
export function jobMessageView(
  job: JobRecord,
  index: number,
  { to, outcome }: StoredResult,
): JobMessageResult {
  const named = { index, to, messageId: jobMessageId(job, index) };
  if (outcome === undefined) return { ...named, state: stateOf(job, index) };
  const { state, at, error } = outcome;
  return { ...named, state, at: instant(at), ...(error === undefined ? {} : { error }) };
}

/** The state of a message without a result. */
function stateOf(job: JobRecord, index: number): JobMessageState {
  if (job.isSending && index === job.next) return 'sending';
  return ENDED.has(job.state) ? 'not-sent' : 'waiting';
}
