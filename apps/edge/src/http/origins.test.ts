import { expect, test } from 'vitest';
import { areOrigins, parseOrigins } from './origins.js';

test('origins are separated by commas, and `*` is any', () => {
  expect(parseOrigins('https://a.example, http://b.example:8080')).toEqual([
    'https://a.example',
    'http://b.example:8080',
  ]);
  expect(parseOrigins('https://a.example,*')).toBe('*');
});

test.each([
  '*',
  'https://app.example.com',
  'http://localhost:5173,https://app.example.com',
  'chrome-extension://abcdefghijklmnop',
])('CORS_ORIGIN takes %s', (text) => expect(areOrigins(text)).toBe(true));

test.each([
  '',
  ',',
  'example.com',
  'https://app.example.com/',
  'https://app.example.com/path',
  'HTTPS://app.example.com',
  'https://app.example.com:443',
  'null',
])('CORS_ORIGIN refuses %j, which no browser sends', (text) => expect(areOrigins(text)).toBe(false));
