import { type CreateJobBody, JOB_LIMITS, type jobCalls, WafleetError } from '@wafleet/contract';
import { type JobChange, type JobRecord, jobNotFound, type MessageJobs } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import { mayUseSession } from '../access/identity.js';
import { identityOf } from '../auth/request-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import { jobIdOf } from '../jobs/job-message-id.js';
import type { JobRunner } from '../jobs/job-runner.js';
import { messagesOfJob } from '../jobs/messages-of-job.js';
import type { HandlersOf } from './calls.js';
import { jobMessageView, jobView } from './job-view.js';

interface JobCallResources {
  readonly jobs: MessageJobs;
  readonly jobRunner: Pick<JobRunner, 'nudge'>;
}

interface JobPath {
  readonly job: string;
}

/** Messages that are sent later, or many of them one after another. */
export function jobHandlers({ jobs, jobRunner }: JobCallResources): HandlersOf<typeof jobCalls> {
  const find = async (request: FastifyRequest, { job: jobId }: JobPath): Promise<JobRecord> => {
    const identity = identityOf(request);
    const ref = { tenantId: identity.tenantId, jobId };
    const job = await jobs.get(ref);
    if (job === undefined || !mayUseSession(identity, job.sessionId)) throw jobNotFound(ref);
    return job;
  };
  const change = async (request: FastifyRequest, path: JobPath, to: JobChange) => {
    const changed = await jobs.change(await find(request, path), to);
    jobRunner.nudge();
    return jobView(changed);
  };
  return {
    'create-job': async ({ params, body, request, reply, ids }) => {
      const { tenantId, sessionId } = sessionRefOf(request, params);
      const { at, expiresAt } = timesOf(body);
      const { name, pace, onError } = body;
      const messages = messagesOfJob(body);
      const ref = { tenantId, jobId: jobIdOf(ids.bytes('job')) };
      const job = await jobs.create(ref, {
        ...{ sessionId, name, at, expiresAt, pace, onError },
        messages: messages.map((message) => ({ to: message.to, text: JSON.stringify(message) })),
      });
      jobRunner.nudge();
      reply.header('location', `/api/jobs/${ref.jobId}`);
      return jobView(job);
    },
    'list-jobs': async ({ query, request }) => {
      const identity = identityOf(request);
      const { session, state, limit, cursor } = query;
      const page = await jobs.page(identity.tenantId, {
        ...{ limit, cursor },
        matches: (job) =>
          mayUseSession(identity, job.sessionId) &&
          (session === undefined || job.sessionId === session) &&
          (state === undefined || job.state === state),
      });
      const { nextCursor } = page;
      return { items: page.jobs.map(jobView), ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
    'get-job': async ({ params, request }) => jobView(await find(request, params)),
    'list-job-messages': async ({ params, query, request }) => {
      const job = await find(request, params);
      const { state, limit, cursor } = query;
      const from = firstOf(cursor);
      const results = await jobs.results(job, from, state === undefined ? limit + 1 : job.total);
      const found = results
        .map((result, index) => jobMessageView(job, from + index, result))
        .filter((message) => state === undefined || message.state === state);
      const next = found[limit];
      return {
        items: found.slice(0, limit),
        ...(next === undefined ? {} : { nextCursor: String(next.index) }),
      };
    },
    'cancel-job': ({ params, request }) => change(request, params, 'cancel'),
    'pause-job': ({ params, request }) => change(request, params, 'pause'),
    'resume-job': ({ params, request }) => change(request, params, 'resume'),
  };
}

/** The index that a page begins with. @throws {WafleetError} VALIDATION_FAILED */
function firstOf(cursor = '0'): number {
  if (/^\d{1,4}$/.test(cursor)) return Number(cursor);
  throw invalid('querystring.cursor', 'is not the nextCursor of a page');
}

/**
 * When a job begins and expires, ms since 1970; undefined where the request does not say.
 * @throws {WafleetError} VALIDATION_FAILED
 */
function timesOf(body: CreateJobBody): { at: number | undefined; expiresAt: number | undefined } {
  const now = Date.now();
  const at = body.at === undefined ? undefined : Date.parse(body.at);
  const begins = Math.max(now, at ?? now);
  if (begins > now + JOB_LIMITS.aheadMs) throw invalid('body.at', 'must be at most 31 days ahead');
  const expiresAt = body.expiresAt === undefined ? undefined : Date.parse(body.expiresAt);
  if (expiresAt !== undefined && expiresAt <= begins) {
    throw invalid('body.expiresAt', 'must be after the beginning, and in the future');
  }
  if (expiresAt !== undefined && expiresAt > begins + JOB_LIMITS.lifeMs.max) {
    throw invalid('body.expiresAt', 'must be at most 7 days after the beginning');
  }
  return { at, expiresAt };
}

function invalid(path: string, message: string): WafleetError {
  return new WafleetError('VALIDATION_FAILED', `The request is not valid. ${path}: ${message}.`, {
    issues: [{ path, message }],
  });
}
