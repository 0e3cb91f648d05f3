import { expect, test } from 'vitest';
import { ALL_SESSIONS, eventRoom, roomsOfEvent } from './rooms.js';

test('an event reaches subscribers of its session and of all sessions, of its tenant only', () => {
  const rooms = roomsOfEvent('acme', 'one', 'call');
  expect(rooms).toContain(eventRoom('acme', 'one', 'call'));
  expect(rooms).toContain(eventRoom('acme', ALL_SESSIONS, 'call'));
  expect(rooms).not.toContain(eventRoom('other', 'one', 'call'));
  expect(rooms).not.toContain(eventRoom('acme', 'two', 'call'));
  expect(rooms).not.toContain(eventRoom('acme', 'one', 'auth.qr'));
});
