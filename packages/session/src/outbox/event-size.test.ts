import { expect, it } from 'vitest';
import { roughLength } from './event-size.js';

it.each([
  ['a text', { text: 'x'.repeat(10_000) }],
  [
    'many short fields',
    Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`field${n}`, `value${n}`])),
  ],
  ['a list of objects', Array.from({ length: 1_000 }, (_, n) => ({ id: `A${n}`, n, isOn: n % 2 === 0 }))],
] as const)('the rough length of %s is near that of its JSON', (_, value) => {
  const exact = JSON.stringify(value).length;
  expect(roughLength(value)).toBeGreaterThan(exact * 0.8);
  expect(roughLength(value)).toBeLessThan(exact * 1.3);
});

it('bytes count as base64, and what refers to itself ends', () => {
  expect(roughLength({ bytes: new Uint8Array(9_000) })).toBeGreaterThanOrEqual(12_000);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  expect(roughLength(circle)).toBeLessThan(1_000);
});
