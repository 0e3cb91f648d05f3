import { type ErrorDescription, JOB_STATES, type JobState } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { isWrongType } from '../redis/unreadable-records.js';
import { KEPT_MS, keysOf, MAY_BE_SENT } from './job-keys.js';
import { errorText, type JobRef } from './job-record.js';

/** How long a run holds a job unless it renews that. */
export const RUN_HOLDS_MS = 15_000;
/** How often a message is tried that may have been sent already. */
const MAX_TRIES = 6;

const SESSION_GONE = errorText({ code: 'SESSION_NOT_FOUND', message: 'The session of the job was removed.' });
const EXPIRED = errorText({
  code: 'JOB_EXPIRED',
  message: 'The job expired before all of its messages were sent.',
});

/** A part of a job that one edge runs. Its token fences off the edges that ran the job before. */
export interface JobRun extends JobRef {
  readonly sessionId: string;
  readonly token: string;
}

export type JobClaim =
  | { readonly outcome: 'claimed'; readonly run: JobRun }
  /** There is nothing to do for `inMs` ms. */
  | { readonly outcome: 'later'; readonly inMs: number }
  /** There is nothing to do any more. */
  | { readonly outcome: 'ended' };

/** What a run is to do next. */
export type NextMessage =
  | {
      readonly outcome: 'send';
      readonly index: number;
      /** The JSON of the message; empty if it is lost. */
      readonly text: string;
      /** How often the job has waited before it tried this message again. */
      readonly waits: number;
    }
  /** It was tried so often that it counts as `unknown`. */
  | { readonly outcome: 'exhausted'; readonly index: number }
  | { readonly outcome: 'stop' };

/** What became of a try to send a message. */
export type MessageOutcome =
  | { readonly outcome: 'sent' }
  /** `failed`: it will not be sent. `unknown`: it may have been sent, and is not tried again. */
  | { readonly outcome: 'failed' | 'unknown'; readonly error: ErrorDescription }
  /** `wait`: nothing was done. `retry`: it may have been sent. Either is tried again. */
  | { readonly outcome: 'wait' | 'retry'; readonly error: ErrorDescription; readonly inMs: number }
  /** Nothing was done, and the job fails. */
  | { readonly outcome: 'abort'; readonly error: ErrorDescription };

/** The job after a step of its run. */
export interface JobProgress {
  /** `lost`: another run has the job, or it is gone. */
  readonly state: JobState | 'lost';
  /** ms until it goes on; undefined if it has ended or is lost. */
  readonly nextInMs: number | undefined;
}

const claimJob = new Script('jobs/claim-job', (reply) => {
  const [outcome, value] = asList(reply);
  return { outcome: asText(outcome), value };
});
const beginMessage = new Script('jobs/begin-message', (reply): NextMessage => {
  const [outcome, index, text, waits] = asList(reply);
  switch (asText(outcome)) {
    case 'send':
      return { outcome: 'send', index: asNumber(index), text: asText(text), waits: asNumber(waits) };
    case 'exhausted':
      return { outcome: 'exhausted', index: asNumber(index) };
    default:
      return { outcome: 'stop' };
  }
});
const waitIn = (reply: unknown) => {
  const ms = asNumber(reply);
  return ms < 0 ? undefined : ms;
};
const endMessage = new Script('jobs/end-message', (reply): JobProgress => {
  const [state, inMs] = asList(reply);
  return { state: JOB_STATES.find((each) => each === state) ?? 'lost', nextInMs: waitIn(inMs) };
});
const holdJob = new Script('jobs/hold-job', (reply) => {
  const [outcome, inMs] = asList(reply);
  return { isHeld: asText(outcome) === 'held', nextInMs: waitIn(inMs) };
});

/**
 * The runs of jobs. A job is run in parts, by any edge; each part is a run, and at most one holds a job. Every step
 * compares the run's token first. A run that does not renew its hold loses the job 15 s later; the message that it was
 * sending is then sent again, under the same id. All methods reject if Redis does not answer.
 */
export class JobRuns {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Begins a run. Ends the job instead if it has expired, or its session or its tenant is gone.
   * @param token unique. The same claim, after its answer was lost, gets the job again.
   */
  async claim(ref: JobRef, sessionId: string, token: string): Promise<JobClaim> {
    const { tenantId } = ref;
    const { outcome, value } = await claimJob.run(
      this.#redis,
      [...keysOf(ref), keys.session({ tenantId, sessionId }), keys.tenantRemoval(tenantId)],
      [ref.jobId, token, RUN_HOLDS_MS, KEPT_MS, SESSION_GONE, EXPIRED, MAY_BE_SENT],
    );
    switch (outcome) {
      case 'claimed':
        return { outcome, run: { ...ref, sessionId: asText(value), token } };
      case 'later':
        return { outcome, inMs: asNumber(value) };
      default:
        return { outcome: 'ended' };
    }
  }

  /** The session of a job; undefined if there is no such job. */
  async sessionOf({ tenantId, jobId }: JobRef): Promise<string | undefined> {
    const session = this.#redis.hget(keys.jobRecord(tenantId, jobId), 'session');
    const known = await session.catch((error: unknown) => {
      if (isWrongType(error)) return null;
      throw error;
    });
    return known ?? undefined;
  }

  /** Begins to send the next message of the job. It counts as a try that may have sent it until `end` says otherwise. */
  begin(run: JobRun): Promise<NextMessage> {
    return beginMessage.run(
      this.#redis,
      [...keysOf(run).slice(0, 2), keys.tenantRemoval(run.tenantId)],
      [run.token, MAX_TRIES],
    );
  }

  /** Writes what became of the message that was begun. A job that ended meanwhile still counts it. */
  end(run: JobRun, index: number, of: MessageOutcome): Promise<JobProgress> {
    const { error, inMs } = { error: undefined, inMs: 0, ...of };
    return endMessage.run(this.#redis, keysOf(run), [
      ...[run.jobId, run.token, index, of.outcome, error === undefined ? '' : errorText(error), inMs],
      ...[KEPT_MS, MAY_BE_SENT],
    ]);
  }

  /** Holds the job for another 15 s. Returns false if another run has it. */
  async renew({ tenantId, jobId, token }: JobRun): Promise<boolean> {
    const key = keys.jobRecord(tenantId, jobId);
    return (await holdJob.run(this.#redis, [key], [token, RUN_HOLDS_MS])).isHeld;
  }

  /**
   * Ends the run. Returns when the job goes on, in ms; undefined if it has ended or another run has it.
   */
  async release({ tenantId, jobId, token }: JobRun): Promise<number | undefined> {
    const key = keys.jobRecord(tenantId, jobId);
    return (await holdJob.run(this.#redis, [key], [token, 0])).nextInMs;
  }
}
