import type { EventPosition } from '@wafleet/contract';
import { expect, it } from 'vitest';
import { SubscriptionSet } from './subscription-set.js';

const at = (seq: number): EventPosition => ({ epoch: '1', seq });
const calls = SubscriptionSet.of({ events: ['call'], sessions: ['a'] });
const allCalls = SubscriptionSet.of({ events: ['call'], sessions: undefined });

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

it('begins anew after its end', () => {
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
  const set = calls.startingAfter(at(4)).union(SubscriptionSet.of({ events: ['auth.qr'], sessions: ['a'] }));
  const read = SubscriptionSet.parse(set.toString());
  expect(read && firstOf(read)).toBe(5);
  expect(read?.covers('a', 'auth.qr', at(1))).toBe(true);
  expect(read?.toString()).toBe(set.toString());
  for (const text of ['', '{}', '[["a"]]', '[["a",["no event"]]]']) {
    expect(SubscriptionSet.parse(text)).toBeUndefined();
  }
});

it('is a short text for many sessions, and a word for all that the API key has', () => {
  const sessions = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(64, 'x'));
  const events = ['call', 'chats.update', 'messages.upsert', 'presence.update'] as const;
  const set = SubscriptionSet.of({ events, sessions }).startingAfter(at(4));
  expect(set.toString().length).toBeLessThan(70_000);
  const ofKey = new Set(sessions);
  const text = set.toString(ofKey);
  expect(text.length).toBeLessThan(200);
  const read = SubscriptionSet.parse(text, ofKey);
  expect(read?.toString()).toBe(set.toString());
  expect(SubscriptionSet.parse(text)).toBeUndefined();
  expect(set.toString(new Set([...sessions, 'another']))).toBe(set.toString());
});

it('is read from the text of earlier releases, one session an entry', () => {
  const read = SubscriptionSet.parse('[["a",["call"],"1-4"],["b",["call"]]]');
  expect(read && [firstOf(read), firstOf(read, 'b')]).toEqual([5, 1]);
});
