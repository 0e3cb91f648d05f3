import { expect, test } from 'vitest';
import { parseUrl } from './parse-url.js';

test('a URL is read, also relative to another one', () => {
  expect(parseUrl('https://a.example/b')?.href).toBe('https://a.example/b');
  expect(parseUrl('../c', 'https://a.example/b/')?.href).toBe('https://a.example/c');
  expect(parseUrl('c')).toBeUndefined();
  expect(parseUrl('http://[', 'https://a.example/')).toBeUndefined();
});

test('a URL with ü is one, however often it is read', () => {
  for (let run = 0; run < 20_000; run++) expect(parseUrl('https://a.example/ü') === undefined).toBe(false);
});
