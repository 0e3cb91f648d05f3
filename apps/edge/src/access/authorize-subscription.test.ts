import {
  EVENT_NAMES,
  KEY_SCOPES,
  type KeyScope,
  LINKING_EVENTS,
  parseSubscribeRequest,
} from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { authorizeSubscription } from './authorize-subscription.js';

interface Limits {
  readonly scopes?: readonly KeyScope[];
  readonly sessions?: readonly string[];
}

function authorize(request: unknown, { scopes = KEY_SCOPES, sessions }: Limits = {}) {
  const identity = {
    ...{ keyId: 'key_1', tenantId: 'tnt_a', expiresAt: undefined },
    scopes: new Set(scopes),
    sessions: sessions && new Set(sessions),
  };
  return authorizeSubscription(identity, parseSubscribeRequest(request));
}

const refusal = (code: string, details: object) => expect.objectContaining({ code, details });
const reader: Limits = { scopes: ['events:read'] };

describe('a key without limits', () => {
  it.each([
    [
      ['messages.upsert', 'connection.update'],
      ['messages.upsert', 'connection.update'],
    ],
    [['*'], [...EVENT_NAMES]],
    [['auth.*'], ['auth.qr', 'auth.pairing-code']],
    [['auth.qr'], ['auth.qr']],
  ])('gets %j as it asks', (request, events) => {
    expect(authorize(request)).toEqual({ events, sessions: undefined, sessionsOfKey: undefined });
  });

  it('gets the sessions that it names', () => {
    expect(authorize({ events: ['call'], sessions: ['a', 'b'] })).toEqual({
      events: ['call'],
      sessions: ['a', 'b'],
      sessionsOfKey: undefined,
    });
  });
});

describe('a key without sessions:write', () => {
  it('gets wildcards without the linking events', () => {
    const others = EVENT_NAMES.filter((event) => !LINKING_EVENTS.has(event));
    expect(authorize(['*'], reader).events).toEqual(others);
    expect(authorize(['auth.*', 'call'], reader).events).toEqual(['call']);
    expect(authorize(['*'], { scopes: ['events:read', 'sessions:read', 'messages:write'] }).events).toEqual(
      others,
    );
  });

  it.each([
    [['auth.qr'], ['auth.qr']],
    [
      ['auth.*', 'auth.pairing-code'],
      ['auth.qr', 'auth.pairing-code'],
    ],
    [['*', 'auth.pairing-code'], ['auth.pairing-code']],
    [
      ['call', 'auth.qr', 'auth.pairing-code'],
      ['auth.qr', 'auth.pairing-code'],
    ],
    [['auth.*'], ['auth.qr', 'auth.pairing-code']],
  ])('is refused %j', (request, events) => {
    const refused = refusal('FORBIDDEN', { scope: 'sessions:write', events });
    expect(() => authorize(request, reader)).toThrow(refused);
    expect(() => authorize({ events: request, sessions: ['a'] }, { ...reader, sessions: ['a'] })).toThrow(
      refused,
    );
  });
});

describe('a key with a list of sessions', () => {
  const limits: Limits = { sessions: ['a', 'b'] };

  it('gets its sessions when it asks for all', () => {
    const all = { events: ['call'], sessions: undefined, sessionsOfKey: new Set(['a', 'b']) };
    expect(authorize(['call'], limits)).toEqual(all);
    expect(authorize({ events: ['call'] }, limits)).toEqual(all);
  });

  it('gets those that it names', () => {
    expect(authorize({ events: ['call'], sessions: ['b'] }, limits).sessions).toEqual(['b']);
    expect(authorize({ events: ['call'], sessions: [] }, limits).sessions).toEqual([]);
  });

  it.each([
    [['c'], ['c']],
    [
      ['a', 'c', 'd'],
      ['c', 'd'],
    ],
    [['A'], ['A']],
    [['__proto__'], ['__proto__']],
  ])('finds no others: %j', (sessions, missing) => {
    expect(() => authorize({ events: ['call'], sessions }, limits)).toThrow(
      refusal('SESSION_NOT_FOUND', { sessions: missing }),
    );
  });

  it('gets nothing when the list is empty', () => {
    expect(authorize(['call'], { sessions: [] }).sessionsOfKey).toEqual(new Set());
  });
});
