import { expect, it } from 'vitest';
import { isAtLeast } from './node-version.mjs';

it.each([
  ['20.19.0', '20.19.0', true],
  ['20.20.2', '20.19.0', true],
  ['24.0.0', '20.19.0', true],
  ['20.9.0', '20.19.0', false],
  ['9.11.2', '20.19.0', false],
])('Node %s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});
