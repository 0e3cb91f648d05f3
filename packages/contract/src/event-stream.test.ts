import { describe, expect, test } from 'vitest';
import { eventStreamHeadersSchema, eventStreamQuerySchema } from './event-stream.js';

describe('the query of an event stream', () => {
  test.each([
    [{ events: 'call' }, { events: ['call'] }],
    [{ events: 'messages.*, call' }, { events: ['messages.*', 'call'] }],
    [{ events: ['*', 'call,call'] }, { events: ['*', 'call', 'call'] }],
    [
      { events: '*', sessions: 'a,b', since: '1-5~2' },
      { events: ['*'], sessions: ['a', 'b'], since: '1-5~2' },
    ],
    [
      { events: '*', sessions: ['a', 'b'] },
      { events: ['*'], sessions: ['a', 'b'] },
    ],
    [{ events: '' }, { events: [''] }],
  ])('%j', (query, expected) => {
    expect(eventStreamQuerySchema.parse(query)).toEqual(expected);
  });

  test.each([
    {},
    { sessions: 'a' },
    { events: '*', sessions: '' },
    { events: '*', sessions: 'a,,b' },
    { events: '*', sessions: 'a b' },
    { events: '*', since: '' },
    { events: '*', since: 'x' },
    { events: '*', since: ['1-1', '1-2'] },
    { events: '*', from: '1-1' },
  ])('%j is refused', (query) => {
    expect(eventStreamQuerySchema.safeParse(query).success).toBe(false);
  });
});

describe('the header Last-Event-ID', () => {
  test.each([undefined, '', '1-5', '1-0', '1795326841000-6~a'])('may be %j', (id) => {
    expect(eventStreamHeadersSchema.safeParse({ 'last-event-id': id, host: 'a' }).success).toBe(true);
  });

  test.each(['5', '1-5, 1-6', '1-5~', 'x'.repeat(10_000)])('may not be any other text', (id) => {
    expect(eventStreamHeadersSchema.safeParse({ 'last-event-id': id }).success).toBe(false);
  });
});
