import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { TokenBucket, TokenBuckets } from './token-bucket.js';

/** So slow that no token comes back during a test. */
const SLOW = { perSecond: 0.001, burst: 3 };

it('gives as many tokens at once as it holds, and says when there is another', () => {
  const bucket = new TokenBucket(SLOW);
  expect([bucket.take(), bucket.take(2), bucket.take()]).toEqual([0, 0, expect.any(Number)]);
  expect(bucket.take()).toBeGreaterThan(900_000);
  expect(bucket.take()).toBeLessThanOrEqual(1_000_000);
});

it('gives nothing of what it has not whole', () => {
  const bucket = new TokenBucket(SLOW);
  expect(bucket.take(4)).toBeGreaterThan(0);
  expect(bucket.take(3)).toBe(0);
});

it('fills up with time', async () => {
  const bucket = new TokenBucket({ perSecond: 100, burst: 1 });
  expect(bucket.take()).toBe(0);
  expect(bucket.take()).toBeGreaterThan(0);
  await waitFor(() => bucket.take() === 0, { what: 'another token' });
});

it('owes no more than a full bucket, however often it is fined', () => {
  const bucket = new TokenBucket(SLOW);
  for (let time = 0; time < 100; time += 1) bucket.fine(100);
  expect(bucket.take()).toBeLessThanOrEqual(4_000_000);
  expect(bucket.take()).toBeGreaterThan(3_900_000);
});

it('is one for each name, of those used last', () => {
  const buckets = new TokenBuckets(SLOW, { max: 2 });
  expect(buckets.of('a').take(3)).toBe(0);
  expect(buckets.of('b').take(3)).toBe(0);
  expect(buckets.of('a').take()).toBeGreaterThan(0);
  buckets.of('c');
  expect(buckets.of('a').take()).toBeGreaterThan(0);
  expect(buckets.of('b').take(3)).toBe(0);
});
