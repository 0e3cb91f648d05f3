import { expect, it } from 'vitest';
import { jobIdOf, jobMessageId } from './job-message-id.js';

const job = { tenantId: 'tnt_a', jobId: 'job_1' };

it('the id of a message is the same at every try, and of no other message', () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => jobMessageId(job, index));
  expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => jobMessageId({ ...job }, index)));
  const others = [
    { ...job, jobId: 'job_2' },
    { ...job, tenantId: 'tnt_b' },
  ].map((each) => jobMessageId(each, 0));
  expect(new Set([...ids, ...others]).size).toBe(1_002);
  for (const id of ids) expect(id).toMatch(/^3EB0[0-9A-F]{18}$/);
});

it('the ids do not change from release to release', () => {
  expect(jobMessageId(job, 7)).toBe('3EB0DD3FEB10447D263807');
  expect(jobIdOf(Buffer.alloc(32, 1))).toBe('job_01010101010101010101');
});
