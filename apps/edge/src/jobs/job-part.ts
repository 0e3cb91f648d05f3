import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jobMessageSchema, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type {
  JobProgress,
  JobRun,
  JobRuns,
  JobWakeUps,
  MessageOutcome,
  NextMessage,
  TenantRates,
  WakeUp,
} from '@wafleet/store';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { Message, MessageSending } from '../sending/message-sending.js';
import { jobMessageId } from './job-message-id.js';
import { chargeJobMessage } from './job-share.js';
import { RunHold } from './run-hold.js';
import { errorOutcome } from './what-an-error-does.js';

/** After this number of messages, or this time, other jobs have their turn. */
const PART = { messages: 20, ms: 5_000 };
/** A longer pause between two messages is not waited for here. */
const SHORT_PAUSE_MS = 500;

/** What became of the tries to send messages of jobs, for the metric. */
export const JOB_MESSAGE_OUTCOMES = ['sent', 'failed', 'unknown', 'wait', 'retry', 'abort'] as const;
export type JobMessageOutcome = (typeof JOB_MESSAGE_OUTCOMES)[number];

export interface JobPartResources {
  readonly runs: JobRuns;
  readonly wakeUps: JobWakeUps;
  readonly sending: MessageSending;
  readonly rates: TenantRates;
  readonly logger: Logger;
  readonly onOutcome: (outcome: JobMessageOutcome) => void;
}

/**
 * Runs a part of a job that was taken, if there is something to do now: sends some of its messages, one after another,
 * and gives it back. Rejects if Redis does not answer: any edge then goes on with the job when its hold has ended, and
 * sends the message again that was being sent, under the same id.
 * @param signal once it is aborted, no further message is begun, and no file is uploaded any more.
 */
export async function runJobPart(
  wakeUp: WakeUp,
  resources: JobPartResources,
  signal: AbortSignal,
): Promise<void> {
  const { runs, wakeUps } = resources;
  const { ref, score } = wakeUp;
  const sessionId = await runs.sessionOf(ref);
  const claim =
    sessionId === undefined
      ? ({ outcome: 'ended' } as const)
      : await runs.claim(ref, sessionId, randomUUID());
  if (claim.outcome !== 'claimed') {
    await wakeUps.put(ref, claim.outcome === 'later' ? claim.inMs : undefined, score);
    return;
  }
  const hold = new RunHold(claim.run, wakeUp, resources);
  try {
    await sendSome(claim.run, hold, resources, signal);
  } finally {
    await hold.release();
  }
}

async function sendSome(
  run: JobRun,
  hold: RunHold,
  resources: JobPartResources,
  signal: AbortSignal,
): Promise<void> {
  const giveBackAt = performance.now() + PART.ms;
  for (let count = 0; count < PART.messages; count += 1) {
    if (signal.aborted || hold.isLost || performance.now() > giveBackAt) return;
    const next = await resources.runs.begin(run);
    if (next.outcome === 'stop') return;
    const { state, nextInMs = 0 } = await sendOne(run, next, resources, signal);
    if (state !== 'running' || nextInMs > SHORT_PAUSE_MS) return;
    if (nextInMs > 0) await delay(nextInMs);
  }
}

async function sendOne(
  run: JobRun,
  next: Exclude<NextMessage, { outcome: 'stop' }>,
  { runs, sending, rates, logger, onOutcome }: JobPartResources,
  signal: AbortSignal,
): Promise<JobProgress> {
  const attempt = async (): Promise<MessageOutcome> => {
    if (next.outcome === 'exhausted') return { outcome: 'unknown', error: noAnswer().describe() };
    try {
      const message = readMessage(next.text);
      if (message === undefined) return { outcome: 'failed', error: lost().describe() };
      await chargeJobMessage(rates, run.tenantId);
      await sending.send(run, message, { messageId: jobMessageId(run, next.index), files: { signal } });
      return { outcome: 'sent' };
    } catch (error) {
      const known = isReason(error, signal) ? stopping() : toWafleetError(error, logger);
      return errorOutcome(known, next.waits);
    }
  };
  const outcome = await attempt();
  onOutcome(outcome.outcome);
  return runs.end(run, next.index, outcome);
}

/** Whether an error is that of an aborted signal: nothing was sent then. */
function isReason(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && error === reason;
}

function stopping(): WafleetError {
  return new WafleetError('UNAVAILABLE', 'The edge is stopping. Another one goes on with the job.');
}

/**
 * Returns undefined if the message is lost.
 * @throws {WafleetError} NOT_SUPPORTED if an edge of a later release stored it: that edge, or a later one, sends it.
 */
function readMessage(text: string): Message | undefined {
  const value = parse(text);
  if (value === undefined) return undefined;
  const { data } = jobMessageSchema.safeParse(value);
  if (data !== undefined) return data;
  throw new WafleetError(
    'NOT_SUPPORTED',
    'This edge cannot read the message: a later release has stored it.',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lost(): WafleetError {
  return new WafleetError('INTERNAL', 'The stored message cannot be read any more, so it was not sent.');
}

function noAnswer(): WafleetError {
  return new WafleetError(
    'OUTCOME_UNKNOWN',
    'The message was tried several times, and no answer came: it may or may not have been sent.',
  );
}
