import { describe, expect, test } from 'vitest';
import { EVENT_NAMES } from './event-names.js';
import { parseSubscribeRequest, parseSubscription, SUBSCRIPTION_LIMITS } from './subscription.js';

describe('parseSubscription', () => {
  test('takes an array of names, as the contract’s examples send', () => {
    expect(parseSubscription(['messages.upsert', 'connection.update'])).toEqual({
      events: ['messages.upsert', 'connection.update'],
      sessions: undefined,
    });
  });

  test('takes an object with sessions, and drops duplicates', () => {
    expect(parseSubscription({ events: ['call', 'call'], sessions: ['a', 'a', 'b'] })).toEqual({
      events: ['call'],
      sessions: ['a', 'b'],
    });
  });

  test('expands wildcards', () => {
    expect(parseSubscription(['*']).events).toEqual(EVENT_NAMES);
    expect(parseSubscription(['messages.*']).events).toEqual([
      'messages.upsert',
      'messages.update',
      'messages.reaction',
      'messages.delete',
    ]);
  });

  test.each([
    ['an unknown name', ['message.upsert'], 'UNKNOWN_EVENT'],
    ['an unknown family', ['mails.*'], 'UNKNOWN_EVENT'],
    ['a prefix that is not a family', ['mess.*'], 'UNKNOWN_EVENT'],
    ['no name', [], 'UNKNOWN_EVENT'],
    ['a text', 'messages.upsert', 'VALIDATION_FAILED'],
    ['nothing', undefined, 'VALIDATION_FAILED'],
    ['null', null, 'VALIDATION_FAILED'],
    ['numbers', [1, 2], 'VALIDATION_FAILED'],
    ['an unknown field', { events: ['call'], tenant: 'other' }, 'VALIDATION_FAILED'],
    ['sessions that are not a list', { events: ['call'], sessions: 'a' }, 'VALIDATION_FAILED'],
    ['a session id with a colon', { events: ['call'], sessions: ['a:b'] }, 'VALIDATION_FAILED'],
    ['the session wildcard', { events: ['call'], sessions: ['*'] }, 'VALIDATION_FAILED'],
    [
      'too many names',
      Array.from({ length: SUBSCRIPTION_LIMITS.events + 1 }, () => 'call'),
      'TOO_MANY_ITEMS',
    ],
    [
      'too many sessions',
      {
        events: ['call'],
        sessions: Array.from({ length: SUBSCRIPTION_LIMITS.sessions + 1 }, (_, i) => `s${i}`),
      },
      'TOO_MANY_ITEMS',
    ],
  ])('refuses %s', (_what, input, code) => {
    expect(() => parseSubscription(input)).toThrow(expect.objectContaining({ code }));
  });

  test('does not repeat a huge name in full', () => {
    const refusal = () => parseSubscription(['x'.repeat(100_000)]);
    expect(refusal).toThrow(expect.objectContaining({ code: 'UNKNOWN_EVENT' }));
    try {
      refusal();
    } catch (error) {
      expect(JSON.stringify(error).length + String(error).length).toBeLessThan(1000);
    }
  });
});

describe('parseSubscribeRequest', () => {
  test.each([
    [undefined, undefined, false],
    ['5-3', { epoch: '5', seq: 3 }, false],
    ['5-3~1', { epoch: '5', seq: 3 }, true],
  ])('reads since %s', (since, position, isSinceSnapshot) => {
    const request = since === undefined ? ['call'] : { events: ['call'], since };
    expect(parseSubscribeRequest(request)).toMatchObject({ since: position, isSinceSnapshot });
  });

  test.each([
    [
      ['auth.qr', 'auth.qr', 'call'],
      ['auth.qr', 'call'],
    ],
    [['auth.*', '*'], []],
    [['*', 'auth.qr'], ['auth.qr']],
    [{ events: ['presence.*', 'call'], sessions: ['a'] }, ['call']],
  ])('lists the events of %j that are asked for by name', (input, named) => {
    expect(parseSubscribeRequest(input).named).toEqual(named);
  });
});
