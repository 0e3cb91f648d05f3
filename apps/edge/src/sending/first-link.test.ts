import { expect, it } from 'vitest';
import { firstLink } from './first-link.js';

it.each([
  ['https://a.example', 'https://a.example'],
  ['see http://a.example/b?c=d#e now', 'http://a.example/b?c=d#e'],
  ['HTTPS://A.example/B', 'HTTPS://A.example/B'],
  ['first https://a.example/1, then https://a.example/2', 'https://a.example/1'],
  ['is it https://a.example/b?', 'https://a.example/b'],
  ['“https://a.example/b”…', 'https://a.example/b'],
  ['(see https://a.example/b).', 'https://a.example/b'],
  ['https://a.example/wiki/B_(c)', 'https://a.example/wiki/B_(c)'],
  ['(https://a.example/wiki/B_(c))!', 'https://a.example/wiki/B_(c)'],
  ['[https://a.example/b].', 'https://a.example/b'],
  ['<https://a.example/b>', 'https://a.example/b'],
  ['line\nhttps://a.example/b\nline', 'https://a.example/b'],
  ['https://münchen.example/ü', 'https://münchen.example/ü'],
])('%j has the link %s', (text, link) => {
  expect(firstLink(text)).toBe(link);
});

it.each([
  ...[
    '',
    'hello',
    'a.example',
    'www.a.example',
    'ftp://a.example',
    'http://',
    'https://...',
    'http:// a.example',
  ],
  ...[
    'mailto:a@a.example',
    `https://a.example/${'b'.repeat(2_048)}`,
    'http://[::1',
    'http://a.example:99999',
  ],
])('%j has none', (text) => {
  expect(firstLink(text)).toBeUndefined();
});

it('ends for a text of nothing but ends of sentences', () => {
  expect(firstLink(`https://a.example/${')'.repeat(60_000)}`)).toBe('https://a.example/');
  expect(firstLink(`https://a.example/${'.'.repeat(60_000)}a`)).toBeUndefined();
});
