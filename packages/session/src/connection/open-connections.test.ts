import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpenConnections } from './open-connections.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a connection has settled after 10 s, until it is closed', () => {
  const connections = new OpenConnections();
  const [first, second] = [{}, {}];
  expect(connections.hasSettled).toBe(false);
  connections.opened(first);
  vi.advanceTimersByTime(6_000);
  connections.opened(second);
  expect(connections.hasSettled).toBe(false);
  vi.advanceTimersByTime(4_001);
  expect(connections.hasSettled).toBe(true);
  connections.closed(first);
  expect(connections.hasSettled).toBe(false);
  vi.advanceTimersByTime(6_000);
  expect(connections.hasSettled).toBe(true);
});

test('one that opens again begins to settle from the start', () => {
  const connections = new OpenConnections();
  const connection = {};
  connections.opened(connection);
  vi.advanceTimersByTime(20_000);
  connections.closed(connection);
  connections.opened(connection);
  expect(connections.hasSettled).toBe(false);
});
