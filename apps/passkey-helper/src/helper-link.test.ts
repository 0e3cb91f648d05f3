import { describe, expect, it } from 'vitest';
import { encodeBase64url } from './base64url.js';
import { checkHelperLink, hasHelperLink, readHelperLink } from './helper-link.js';

const token = 'p8Jc1-nV_yq0cK3lq3jJ8C9mYpT0vRr2wq1x5d7eG4k';

function fragmentOf(content: unknown): string {
  return `#wafleet-passkey=${encodeBase64url(new TextEncoder().encode(JSON.stringify(content)))}`;
}

describe('a fragment', () => {
  it('is read', () => {
    const fragment = fragmentOf({ t: token, b: 'https://wafleet.example.com/' });
    expect(hasHelperLink(fragment)).toBe(true);
    expect(readHelperLink(fragment)).toEqual({ token, apiUrl: 'https://wafleet.example.com' });
  });

  it.each(['', '#', '#chat', '#x-wafleet-passkey=AAAA', 'wafleet-passkey=AAAA'])(
    '%j is another one',
    (other) => {
      expect(hasHelperLink(other)).toBe(false);
      expect(readHelperLink(other)).toBeUndefined();
    },
  );

  it.each([
    '#wafleet-passkey=',
    '#wafleet-passkey=%%%',
    `#wafleet-passkey=${encodeBase64url(Uint8Array.of(0xff))}`,
    fragmentOf(null),
    fragmentOf([token]),
    fragmentOf({ t: token }),
    fragmentOf({ t: 5, b: 'https://wafleet.example.com' }),
    fragmentOf({ t: token, b: 'https://wafleet.example.com' }).slice(0, -9),
    fragmentOf({ t: token, b: `https://wafleet.example.com/${'a'.repeat(4_000)}` }),
  ])('%j is damaged', (damaged) => {
    expect(hasHelperLink(damaged)).toBe(true);
    expect(readHelperLink(damaged)).toBeUndefined();
  });
});

describe('the address of an API', () => {
  it.each([
    ['https://wafleet.example.com', 'https://wafleet.example.com'],
    ['https://wafleet.example.com:8443/wa/', 'https://wafleet.example.com:8443/wa'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1:3000/', 'http://127.0.0.1:3000'],
    ['http://127.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ])('%s is allowed', (apiUrl, normal) => {
    expect(checkHelperLink({ token, apiUrl })).toEqual({ token, apiUrl: normal });
  });

  it.each([
    'http://wafleet.example.com',
    'http://192.168.1.5:3000',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'https://user:password@wafleet.example.com',
    'https://wafleet.example.com/?a=1',
    'https://wafleet.example.com/#a',
    'ftp://localhost',
    'javascript:alert(1)',
    'wafleet.example.com',
    '',
  ])('%j is refused', (apiUrl) => {
    expect(checkHelperLink({ token, apiUrl })).toBeUndefined();
  });
});

it.each(['', 'short', `${token} `, `${token}\n`, 'ü'.repeat(40), 'a'.repeat(201)])(
  'the token %j is refused',
  (other) => {
    expect(checkHelperLink({ token: other, apiUrl: 'https://wafleet.example.com' })).toBeUndefined();
  },
);
