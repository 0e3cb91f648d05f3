import { EVENT_NAMES, type EventName, type EventPosition } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { SubscriptionSet } from './subscription-set.js';

const at = (seq: number): EventPosition => ({ epoch: '1', seq });
const LIST: ReadonlySet<string> = new Set(['a', 'b']);
const KEY = { tenantId: 'tnt_a', keyId: 'key_1' };

/** A set of a key without a list. */
function of(events: readonly EventName[], sessions?: readonly string[]): SubscriptionSet {
  return SubscriptionSet.of({ events, sessions, sessionsOfKey: undefined });
}

/** A set of a key with the list. */
function ofKey(events: readonly EventName[], sessions?: readonly string[]): SubscriptionSet {
  return SubscriptionSet.of({ events, sessions, sessionsOfKey: LIST });
}

const calls = of(['call'], ['a']);
const allCalls = of(['call']);
const callsOfKey = ofKey(['call']);

/** The first of the positions at which a call of the session is covered. */
function firstOf(set: SubscriptionSet, sessionId = 'a'): number | undefined {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].find((seq) => set.covers(sessionId, 'call', at(seq)));
}

it('covers what comes after its start; all of it without one', () => {
  expect(firstOf(calls)).toBe(1);
  expect(firstOf(calls.startingAfter(at(4)))).toBe(5);
  expect(firstOf(calls.startingAfter(at(4)), 'b')).toBeUndefined();
  expect(firstOf(allCalls.startingAfter(at(4)), 'b')).toBe(5);
});

it('keeps the earlier start of what is subscribed to twice', () => {
  const set = calls.startingAfter(at(4));
  set.addAll(calls.startingAfter(at(6)));
  expect(firstOf(set)).toBe(5);
  set.addAll(calls.startingAfter(at(2)));
  expect(firstOf(set)).toBe(3);
  expect(firstOf(set.startingAfter(at(8)))).toBe(3);
  set.addAll(calls);
  expect(firstOf(set)).toBe(1);
});

it('begins again after its end', () => {
  const set = calls.startingAfter(at(2));
  set.remove({ events: ['call'], sessions: ['a'] });
  expect(firstOf(set)).toBeUndefined();
  set.addAll(calls.startingAfter(at(6)));
  expect(firstOf(set)).toBe(7);
});

it('covers what either all sessions or the one began before', () => {
  const set = calls.startingAfter(at(6)).union(allCalls.startingAfter(at(3)));
  expect([firstOf(set), firstOf(set, 'b')]).toEqual([4, 4]);
});

it('survives as text', () => {
  const set = calls.startingAfter(at(4)).union(of(['auth.qr'], ['a']));
  const read = SubscriptionSet.parse(set.toString());
  expect(read && firstOf(read)).toBe(5);
  expect(read?.covers('a', 'auth.qr', at(1))).toBe(true);
  expect(read?.toString()).toBe(set.toString());
  for (const text of ['', '{}', '[["a"]]', '[["a",["no event"]]]']) {
    expect(SubscriptionSet.parse(text)).toBeUndefined();
  }
});

it('is a short text for many sessions', () => {
  const sessions = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(64, 'x'));
  const set = of(['call', 'chats.update', 'messages.upsert', 'presence.update'], sessions);
  expect(set.startingAfter(at(4)).toString().length).toBeLessThan(70_000);
});

it('is read from the text of earlier releases, one session an entry', () => {
  const read = SubscriptionSet.parse('[["a",["call"],"1-4"],["b",["call"]]]');
  expect(read && [firstOf(read), firstOf(read, 'b')]).toEqual([5, 1]);
});

describe('all sessions of a key with a list', () => {
  it('are one entry, which covers those and no other, also in sets that are made of it', () => {
    const added = new SubscriptionSet();
    added.addAll(callsOfKey);
    const derived = [callsOfKey, added, callsOfKey.union(of(['auth.qr'], ['a'])), ofKey(['call', 'auth.qr'])];
    for (const set of derived) {
      const sessions = ['a', 'b', 'c', '*'].filter((session) => set.has(session, 'call'));
      expect(sessions).toEqual(['a', 'b']);
      expect([firstOf(set, 'a'), firstOf(set, 'b'), firstOf(set, 'c')]).toEqual([1, 1, undefined]);
      expect(firstOf(set.startingAfter(at(4)), 'b')).toBe(5);
      expect(firstOf(set.startingAfter(at(4)), 'c')).toBeUndefined();
    }
    const large = new Set(Array.from({ length: 1_000 }, (_, index) => `s${index}`));
    const all = SubscriptionSet.of({ events: EVENT_NAMES, sessions: undefined, sessionsOfKey: large });
    expect(all.size).toBe(EVENT_NAMES.length);
  });

  it('have rooms of their key', () => {
    const set = callsOfKey.union(ofKey(['auth.qr'], ['a']));
    expect(set.rooms(KEY)).toEqual(['event:tnt_a:@key_1:call', 'event:tnt_a:a:auth.qr']);
  });

  it('begin at the earlier of two starts, and each session where it or all began before', () => {
    const set = callsOfKey.startingAfter(at(4));
    set.addAll(callsOfKey.startingAfter(at(6)));
    expect(firstOf(set, 'b')).toBe(5);
    const mixed = callsOfKey.startingAfter(at(6)).union(ofKey(['call'], ['a']).startingAfter(at(3)));
    expect([firstOf(mixed, 'a'), firstOf(mixed, 'b')]).toEqual([4, 7]);
  });

  it('include sessions by name, and are included in no names', () => {
    const named = ofKey(['call'], ['a', 'b']);
    expect(callsOfKey.includes(named)).toBe(true);
    expect(callsOfKey.includes(callsOfKey)).toBe(true);
    expect(named.includes(callsOfKey)).toBe(false);
    expect(callsOfKey.includes(ofKey(['auth.qr'], ['a']))).toBe(false);
    expect(new SubscriptionSet().includes(callsOfKey)).toBe(false);
  });

  it('are named where sessions are asked for', () => {
    expect(callsOfKey.sessionsOf(['call'])).toEqual(LIST);
    expect(callsOfKey.sessionsOf(['auth.qr'])).toEqual(new Set());
    expect(callsOfKey.union(ofKey(['auth.qr'], ['b'])).sessionsOf(['auth.qr'])).toEqual(new Set(['b']));
    expect(allCalls.sessionsOf(['call'])).toBeUndefined();
  });

  it('end as all, and not by name', () => {
    const set = callsOfKey.union(ofKey(['call'], ['a']));
    set.remove({ events: ['call'], sessions: ['a', 'b'] });
    expect([firstOf(set, 'a'), firstOf(set, 'b')]).toEqual([1, 1]);
    set.remove({ events: ['call'], sessions: undefined });
    expect(set.isEmpty).toBe(true);
  });

  it('are one word in the text, which the list of the key is needed for', () => {
    const set = callsOfKey.startingAfter(at(4)).union(ofKey(['call'], ['a']).startingAfter(at(4)));
    const text = set.toString();
    expect(JSON.parse(text)).toEqual([
      ['@key', ['call'], '1-4'],
      [['a'], ['call'], '1-4'],
    ]);
    const read = SubscriptionSet.parse(text, LIST);
    expect(read?.toString()).toBe(text);
    expect(read && [firstOf(read, 'a'), firstOf(read, 'b'), firstOf(read, 'c')]).toEqual([5, 5, undefined]);
    expect(SubscriptionSet.parse(text)).toBeUndefined();
  });

  it('are read from the text of earlier releases: as one word, or as their names', () => {
    const word = SubscriptionSet.parse('[["@key",["call"],"1-4"]]', LIST);
    expect(word?.rooms(KEY)).toEqual(['event:tnt_a:@key_1:call']);
    expect(word && firstOf(word, 'b')).toBe(5);
    const named = SubscriptionSet.parse('[[["a","b"],["call"],"1-4"]]', LIST);
    expect(named?.rooms(KEY)).toEqual(['event:tnt_a:a:call', 'event:tnt_a:b:call']);
  });
});
