import { expect, it } from 'vitest';
import { idempotencyKeySchema } from './idempotency.js';

const read = (header: string) => idempotencyKeySchema.safeParse(header).data;

it.each([
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ['a"b\\c', 'a"b\\c'],
  ['~!{}:,;=', '~!{}:,;='],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
])('reads the header %j', (header, key) => {
  expect(read(header)).toBe(key);
});

it.each([
  '',
  '""',
  '"',
  '"abc',
  '"a"b"',
  '"a\\b"',
  '"a";q=1',
  'a b',
  '"a b"',
  'a, b',
  'ä',
  '"ä"',
  'a\tb',
  'a\u0000b',
  'x'.repeat(256),
  `"${'x'.repeat(256)}"`,
])('refuses the header %j', (header) => {
  expect(read(header)).toBeUndefined();
});
