import { expect, test } from 'vitest';
import { sessionIdSchema } from './identifiers.js';
import { ALL_SESSIONS, eventRoom, isSessionsOfKey, parseEventRoom, sessionsOfKey } from './rooms.js';

test('the name of a room shows whose events it gets', () => {
  for (const session of ['one', ALL_SESSIONS, sessionsOfKey('key_1')]) {
    expect(parseEventRoom(eventRoom('acme', session, 'call'))).toEqual({
      tenantId: 'acme',
      session,
      event: 'call',
    });
  }
});

test('the room name for the sessions of a key is not a session id', () => {
  expect(isSessionsOfKey(sessionsOfKey('key_1'))).toBe(true);
  expect(sessionIdSchema.safeParse(sessionsOfKey('key_1')).success).toBe(false);
  for (const session of ['key_1', ALL_SESSIONS]) expect(isSessionsOfKey(session)).toBe(false);
});

test('other room names are not parsed as event rooms', () => {
  const others = ['', 'call', '7uKx0NTZb2', 'event:acme:one', 'event:acme:one:nothing', 'room:acme:one:call'];
  for (const room of [...others, `${eventRoom('acme', 'one', 'call')}:more`]) {
    expect(parseEventRoom(room)).toBeUndefined();
  }
});
