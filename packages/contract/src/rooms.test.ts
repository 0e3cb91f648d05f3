import { expect, test } from 'vitest';
import { sessionIdSchema } from './identifiers.js';
import { ALL_SESSIONS, eventRoom, isSessionsOfKey, parseEventRoom, sessionsOfKey } from './rooms.js';

test('a room tells whose events it gets', () => {
  for (const session of ['one', ALL_SESSIONS, sessionsOfKey('key_1')]) {
    expect(parseEventRoom(eventRoom('acme', session, 'call'))).toEqual({
      tenantId: 'acme',
      session,
      event: 'call',
    });
  }
});

test('the sessions of a key are no session', () => {
  expect(isSessionsOfKey(sessionsOfKey('key_1'))).toBe(true);
  expect(sessionIdSchema.safeParse(sessionsOfKey('key_1')).success).toBe(false);
  for (const session of ['key_1', ALL_SESSIONS]) expect(isSessionsOfKey(session)).toBe(false);
});

test('other rooms are none of events', () => {
  const others = ['', 'call', '7uKx0NTZb2', 'event:acme:one', 'event:acme:one:nothing', 'room:acme:one:call'];
  for (const room of [...others, `${eventRoom('acme', 'one', 'call')}:more`]) {
    expect(parseEventRoom(room)).toBeUndefined();
  }
});
