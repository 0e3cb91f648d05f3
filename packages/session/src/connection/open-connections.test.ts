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
  connections.opened(first, '2.3000.1');
  vi.advanceTimersByTime(6_000);
  connections.opened(second, '2.3000.1');
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
  connections.opened(connection, '2.3000.1');
  vi.advanceTimersByTime(20_000);
  connections.closed(connection);
  connections.opened(connection, '2.3000.1');
  expect(connections.hasSettled).toBe(false);
});

test('open connections are counted by the version that they report', () => {
  const connections = new OpenConnections();
  const [first, second, third] = [{}, {}, {}];
  connections.opened(first, '2.3000.1');
  connections.opened(second, '2.3000.2');
  connections.opened(third, '2.3000.2');
  connections.closed(first);
  expect([...connections.versions]).toEqual([['2.3000.2', 2]]);
});
