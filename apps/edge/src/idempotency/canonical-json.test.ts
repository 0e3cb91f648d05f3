import { expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';

it('does not depend on the order of fields, at any depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  expect(canonicalJson({ a: null, b: [{ c: 2, d: 1 }] })).toBe(
    canonicalJson({ b: [{ d: 1, c: 2 }], a: null }),
  );
});

it('leaves out fields without a value, and keeps the order of lists', () => {
  expect(canonicalJson({ a: undefined, b: [2, 1] })).toBe('{"b":[2,1]}');
});

it.each([
  [{ a: 1 }, { a: '1' }],
  [{ a: null }, {}],
  [{ a: '' }, { a: [] }],
  [['a,b'], ['a', 'b']],
])('tells %j from %j', (one, other) => {
  expect(canonicalJson(one)).not.toBe(canonicalJson(other));
});

it('keeps a field named __proto__', () => {
  const parsed: unknown = JSON.parse('{"__proto__":{"b":1},"a":1}');
  expect(canonicalJson(parsed)).not.toBe(canonicalJson({ a: 1 }));
});
