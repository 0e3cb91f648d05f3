import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mediaUrl } from './media-host.js';

const HOST = 'https://mmg.whatsapp.net';

it.each([
  '/v/t62.7118-24/30000000_1234567890_n.enc?ccb=11-4&oh=01_Q5Aa-_x&oe=66F00000&_nc_sid=5e03e0&_nc_hot=1',
  '/v/AbC-_1.enc',
  '/o1/v/t24/f2/m231/AQ%2Fx?mms3=true',
])('takes %s', (path) => {
  expect(mediaUrl(HOST, path)?.href).toBe(`${HOST}${path}`);
});

it.each([
  '',
  '/',
  'v/a.enc',
  '//evil.example/v/a',
  '///evil.example',
  '/\\evil.example/v/a',
  '\\\\evil.example/v/a',
  '@evil.example/v/a',
  ':pass@evil.example/v/a',
  '.evil.example/v/a',
  ':8080/v/a',
  'https://evil.example/v/a',
  'file:///etc/passwd',
  '/../a',
  '/v/../../a',
  '/v/./a',
  '/v/%2e%2e/a',
  '/v/.%2E/a',
  '/v/a\\..\\b',
  '/v/a#fragment',
  '/v/a b',
  '/v/a\tb',
  '/v/a\nHost: evil.example',
  '/v/a\r\n\r\nGET /b',
  '/v/a\u0000',
  '/v/ä',
  '/v/\u202ea',
  '\t//evil.example',
  ' /v/a',
  '/v/a ',
  '/v/"a"',
])('takes no path that names another place: %j', (path) => {
  expect(mediaUrl(HOST, path)).toBeUndefined();
});

it('stays on its host, whatever the path', () => {
  const nasty = fc.stringMatching(/^[/\\@:.?#%a-z0-9\t\n ]{1,20}$/);
  fc.assert(
    fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
      for (const path of [text, `/${text}`]) {
        const url = mediaUrl(HOST, path);
        if (url !== undefined) expect([url.origin, url.username, url.hash]).toEqual([HOST, '', '']);
      }
    }),
    { numRuns: 500 },
  );
});
