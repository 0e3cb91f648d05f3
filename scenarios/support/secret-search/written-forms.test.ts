import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { writtenForms } from './written-forms.js';

/** 32 bytes, as in a key, with everything that is hard to write as text. */
const SECRET = Buffer.concat([
  Buffer.from('00ff0a225c80c3a9', 'hex'),
  createHash('sha256').update('a key').digest().subarray(0, 24),
]);
const base64 = SECRET.toString('base64');
const hex = SECRET.toString('hex');

function formsOf(text: string | Buffer): string[] {
  const read = Buffer.from(text);
  return [...writtenForms(read)].filter(({ bytes }) => bytes.includes(SECRET)).map(({ form }) => form);
}

/** A written form and its name. */
const WRITTEN: readonly [string, string | Buffer][] = [
  ['raw', Buffer.concat([Buffer.from('a file '), SECRET, Buffer.from(' ends')])],
  ['base64', `{"key":"${base64}"}`],
  ['base64', `key=${base64.replace(/=+$/, '')}&`],
  ['base64', SECRET.toString('base64url')],
  // As a part of something longer, at each of the three offsets within a group.
  ['base64', Buffer.concat([Buffer.from('1'), SECRET, Buffer.from('...')]).toString('base64')],
  ['base64', Buffer.concat([Buffer.from('12'), SECRET, Buffer.from('...')]).toString('base64')],
  ['base64', Buffer.concat([Buffer.from('123'), SECRET, Buffer.from('...')]).toString('base64')],
  // Directly behind other letters of the alphabet.
  ['base64', `/api/a/${base64}`],
  ['base64', `/api/ab/${base64}`],
  ['base64', `/api/abc/${base64}`],
  ['hex', hex],
  ['hex', `0x${hex.toUpperCase()}`],
  ['hex', `f${hex}`],
  ['spaced hex', inspect(SECRET)],
  ['spaced hex', hex.replace(/..(?=.)/g, '$&:')],
  ['a list of numbers', JSON.stringify(SECRET)],
  ['a list of numbers', JSON.stringify([...SECRET], null, 2)],
  ['a list of numbers', inspect(new Uint8Array(SECRET), { maxArrayLength: null })],
  ['an object of numbers', JSON.stringify(new Uint8Array(SECRET))],
  ['an object of numbers', JSON.stringify(new Uint8Array(SECRET), null, 1)],
  ['raw in text', SECRET.toString('latin1')],
  ['raw in text', JSON.stringify(SECRET.toString('latin1'))],
  ['raw in text', JSON.stringify(JSON.stringify(SECRET.toString('latin1')))],
  ['raw in text', inspect(SECRET.toString('latin1'))],
  [
    'raw in text',
    encodeURIComponent('é') + [...SECRET].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  ],
  [
    'escaped base64',
    `https://x.test/?key=${encodeURIComponent(`${base64.slice(0, 20)}`)}${encodeURIComponent(base64.slice(20))}`,
  ],
  ['escaped a list of numbers', JSON.stringify(JSON.stringify([...SECRET], null, 2))],
];

describe('bytes that are written', () => {
  it.each(
    WRITTEN.map(([form, text]): [string, string, string | Buffer] => [form, String(text).slice(0, 40), text]),
  )('as %s are read from %j', (form, _, text) => {
    if (form === 'escaped base64' && !String(text).includes('%')) return;
    expect(formsOf(text)).toContain(form);
  });

  it('are not found in text without any', () => {
    expect(formsOf(createHash('sha512').update('other').digest('base64'))).toEqual([]);
    expect(formsOf(base64.slice(0, -4))).toEqual([]);
  });

  it('have a position in the text that was read', () => {
    const read = Buffer.from(`{"a":1,"key":"${base64}"}`);
    for (const { bytes, text, placeOf, isVerbatim } of writtenForms(read)) {
      const at = bytes.indexOf(SECRET);
      if (at < 0 || !isVerbatim) continue;
      expect(text().slice(0, placeOf(at))).toBe('{"a":1,"key":"');
      return;
    }
    expect.fail('it was not read');
  });

  it('have a position within the bytes that they are a part of', () => {
    const before = '{"key":"';
    const read = Buffer.from(before + Buffer.concat([Buffer.alloc(30), SECRET]).toString('base64'));
    const found = [...writtenForms(read)].find(({ bytes }) => bytes.includes(SECRET));
    expect(found?.placeOf(found.bytes.indexOf(SECRET))).toBe(before.length + 40);
  });
});
