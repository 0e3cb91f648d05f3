import { payloadSchemas } from '@wafleet/contract';
import { ReachoutTimelockEnforcementType } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { mapConnection } from './connection.js';

it('publishes Baileys’ state with the session’s own, and only the code and message of the last disconnect', () => {
  const { event, payload } = mapConnection(
    { connection: 'close', isOnline: false },
    { status: 'reconnecting', reason: 'replaced' },
    { cause: { statusCode: 440, message: 'Stream Errored (conflict)' } },
  );
  expect(payload).toEqual({
    connection: 'close',
    isOnline: false,
    status: 'reconnecting',
    reason: 'replaced',
    lastDisconnect: { statusCode: 440, message: 'Stream Errored (conflict)' },
  });
  const envelope = { eventId: 'e-1', sessionId: 's1', timestamp: new Date().toISOString() };
  expect(payloadSchemas[event].safeParse({ ...payload, ...envelope }).success).toBe(true);
});

it('publishes until when a lock on new chats holds', () => {
  const reachoutTimeLock = {
    isActive: true,
    timeEnforcementEnds: new Date(0),
    enforcementType: ReachoutTimelockEnforcementType.WEB_COMPANION_ONLY,
  };
  const { payload } = mapConnection({ reachoutTimeLock }, { status: 'open', reason: undefined });
  expect(payload).toEqual({
    connection: 'open',
    status: 'open',
    reachoutTimeLock: {
      isActive: true,
      timeEnforcementEnds: '1970-01-01T00:00:00.000Z',
      enforcementType: 'WEB_COMPANION_ONLY',
    },
  });
});
