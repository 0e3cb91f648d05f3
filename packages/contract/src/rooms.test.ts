import { expect, test } from 'vitest';
import { ALL_SESSIONS, eventRoom, parseEventRoom } from './rooms.js';

test('a room tells whose events it gets', () => {
  for (const session of ['one', ALL_SESSIONS]) {
    expect(parseEventRoom(eventRoom('acme', session, 'call'))).toEqual({
      tenantId: 'acme',
      session,
      event: 'call',
    });
  }
});

test('other rooms are none of events', () => {
  const others = ['', 'call', '7uKx0NTZb2', 'event:acme:one', 'event:acme:one:nothing', 'room:acme:one:call'];
  for (const room of [...others, `${eventRoom('acme', 'one', 'call')}:more`]) {
    expect(parseEventRoom(room)).toBeUndefined();
  }
});
