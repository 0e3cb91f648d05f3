import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConnectionSupervisor } from './connection-supervisor.js';
import { ReadingGate } from './reading-gate.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * A supervisor whose connections all fail to open, and its attempts after the first one. It waits for 0.9 s, then twice as long each time.
 */
async function failingSupervisor() {
  const listeners = new Set<() => void>();
  const seen = { attempts: 0 };
  const onAccepted = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const supervisor = new ConnectionSupervisor({
    connectLimiter: { onAccepted },
    readingGate: new ReadingGate(),
    random: () => 0.9,
  });
  await supervisor.start({
    open: async () => {
      seen.attempts += 1;
      return undefined;
    },
  });
  seen.attempts = 0;
  const fail = (times: number) => {
    for (let i = 0; i < times; i += 1) supervisor.openWithBackOff();
  };
  const acceptAnother = () => {
    for (const listener of [...listeners]) listener();
  };
  return { supervisor, seen, listeners, fail, acceptAnother };
}

it('ends a long wait early when WhatsApp accepts another session, once in a series of failures', async () => {
  const { supervisor, seen, listeners, fail, acceptAnother } = await failingSupervisor();
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
  const { supervisor, seen, fail, acceptAnother } = await failingSupervisor();
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
  const { supervisor, seen, listeners, fail, acceptAnother } = await failingSupervisor();
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
