import { createHmac } from 'node:crypto';
import type { JobRef } from '@wafleet/store';
import { idsFrom } from '../idempotency/call-ids.js';
import { messageIdOf } from '../sessions/message-id.js';

/**
 * The id of a message of a job: the same at every try, on every edge. No other message has it, since no other job has
 * the id of the job.
 */
export function jobMessageId({ tenantId, jobId }: JobRef, index: number): string {
  const seed = createHmac('sha256', tenantId).update(`job ${jobId}`).digest();
  return messageIdOf(idsFrom(seed).bytes(`message ${index}`));
}

/** The id of a job. @param random at least 10 bytes. */
export function jobIdOf(random: Buffer): string {
  return `job_${random.toString('hex', 0, 10)}`;
}
