import { expect, test } from 'vitest';
import { AuthCache } from './auth-cache.js';

const kilobyte = Buffer.alloc(1_000);

test('holds no more than its bound and evicts the least recently used entries first', () => {
  const cache = new AuthCache({ maxBytes: 4_000 });
  const [busy, idle] = [cache.forSession(), cache.forSession()];
  idle.put('session:a', kilobyte);
  busy.put('session:a', kilobyte);
  busy.put('session:b', kilobyte);
  expect(idle.get('session:a')?.value).toEqual(kilobyte);
  busy.put('session:c', kilobyte);
  expect(cache.bytes).toBeLessThanOrEqual(4_000);
  expect(busy.get('session:a')).toBeUndefined();
  expect(idle.get('session:a')).toBeDefined();

  busy.put('session:d', Buffer.alloc(10_000));
  expect(busy.get('session:d')).toBeUndefined();
  expect(idle.get('session:a')).toBeDefined();
  expect(cache.bytes).toBeLessThanOrEqual(4_000);
});

test('distinguishes fields known to be absent from unknown fields', () => {
  const session = new AuthCache({ maxBytes: 4_000 }).forSession();
  session.put('lid-mapping:1', undefined);
  expect(session.get('lid-mapping:1')).toMatchObject({ value: undefined });
  expect(session.get('lid-mapping:2')).toBeUndefined();
});

test('a session clears its own part and frees the room', () => {
  const cache = new AuthCache({ maxBytes: 10_000 });
  const [one, other] = [cache.forSession(), cache.forSession()];
  one.put('a', kilobyte);
  one.put('a', kilobyte);
  one.put('b', kilobyte);
  other.put('a', kilobyte);
  const before = cache.bytes;
  one.delete('b');
  one.clear();
  expect(one.get('a')).toBeUndefined();
  expect(other.get('a')).toBeDefined();
  expect(cache.bytes).toBe(before / 3);
});

test('a session that is over frees its room, and takes none any more', () => {
  const cache = new AuthCache({ maxBytes: 10_000 });
  const session = cache.forSession();
  session.put('a', kilobyte);
  session.close();
  session.put('b', kilobyte);
  session.put('c', undefined);
  expect(['a', 'b', 'c'].map((field) => session.get(field))).toEqual([undefined, undefined, undefined]);
  expect(cache.bytes).toBe(0);
});
