import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConnectionSupervisor } from './connection-supervisor.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * A supervisor whose connections all fail to open, and its attempts. It waits for 0.9 s, then twice as long each time.
 */
function failingKeeper() {
  const listeners = new Set<() => void>();
  const seen = { attempts: 0 };
  const supervisor = new ConnectionSupervisor(
    async () => {
      seen.attempts += 1;
      return undefined;
    },
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => 0.9,
  );
  const fail = (times: number) => {
    for (let i = 0; i < times; i += 1) supervisor.openWithBackOff();
  };
  const acceptAnother = () => {
    for (const listener of [...listeners]) listener();
  };
  return { supervisor, seen, listeners, fail, acceptAnother };
}

it('ends a long wait early when WhatsApp accepts another session, once in a series of failures', async () => {
  const { supervisor, seen, listeners, fail, acceptAnother } = failingKeeper();
  fail(4);
  acceptAnother();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen.attempts).toBe(1);
  fail(1);
  acceptAnother();
  await vi.advanceTimersByTimeAsync(14_000);
  expect(seen.attempts).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen.attempts).toBe(2);
  expect(listeners.size).toBe(0);
  await supervisor.close();
});

it('ends a long wait early again after a connection that lasted', async () => {
  const { supervisor, seen, fail, acceptAnother } = failingKeeper();
  fail(4);
  acceptAnother();
  await vi.advanceTimersByTimeAsync(2_000);
  supervisor.markOpen();
  await vi.advanceTimersByTimeAsync(60_000);
  fail(4);
  acceptAnother();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen.attempts).toBe(2);
  await supervisor.close();
});

it('leaves short waits as they are, and opens nothing once it is closed', async () => {
  const { supervisor, seen, listeners, fail, acceptAnother } = failingKeeper();
  fail(3);
  acceptAnother();
  await vi.advanceTimersByTimeAsync(3_500);
  expect(seen.attempts).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(seen.attempts).toBe(1);
  fail(1);
  await supervisor.close();
  acceptAnother();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.attempts).toBe(1);
  expect(listeners.size).toBe(0);
});
