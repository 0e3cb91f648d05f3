import { expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.js';

it('bytes are written in base64url without padding', () => {
  expect(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xfe, 0x01))).toBe('-__-AQ');
  expect(encodeBase64url(Uint8Array.of())).toBe('');
});

it.each(['-__-AQ', '-__-AQ==', '+//+AQ==', '+//+AQ'])('%s is read', (text) => {
  expect(decodeBase64url(text)).toEqual(Uint8Array.of(0xfb, 0xff, 0xfe, 0x01));
});

it('everything that is written can be read', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 89 + length) % 256);
    expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
  }
});

it.each(['A', 'AAAAA', 'AA=A', 'AA===', 'A A', 'AÄ', 'AAAA\n'])('%j is refused', (text) => {
  expect(() => decodeBase64url(text)).toThrow(TypeError);
});
