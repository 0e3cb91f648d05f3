import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { withTimeout } from './with-timeout.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('resolves to true as soon as the work is done, and leaves no timer', async () => {
  expect(await withTimeout(Promise.resolve('value'), 1_000)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('resolves to false once the time is up, and not before', async () => {
  let inTime: boolean | undefined;
  void withTimeout(new Promise(() => {}), 1_000).then((answer) => {
    inTime = answer;
  });
  await vi.advanceTimersByTimeAsync(999);
  expect(inTime).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(inTime).toBe(false);
});

it('rejects as the work does, and leaves no timer', async () => {
  await expect(withTimeout(Promise.reject(new Error('no')), 1_000)).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});

it('leaves no rejection unhandled when the work fails after the time is up', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  let fail: (error: Error) => void = () => {};
  const work = new Promise((_resolve, reject) => {
    fail = reject;
  });
  const inTime = withTimeout(work, 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await inTime).toBe(false);
  fail(new Error('too late'));
  // Node.js reports an unhandled rejection before it begins the next turn of the event loop.
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
