import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Secret, SecretIndex } from './secret-index.js';

function secret(bytes: Buffer, name = 'key'): Secret {
  return { name, owner: 'tnt_1/shop', kind: 'credential', bytes };
}

function places(index: SecretIndex, bytes: Buffer): [string, number][] {
  return index.find(bytes).map(({ secret: { name }, at }) => [name, at]);
}

it('finds every one of many secrets, wherever it stands, and no others', () => {
  const secrets = Array.from({ length: 20_000 }, (_, index) => secret(randomBytes(32), String(index)));
  const index = new SecretIndex(secrets);
  expect(index.size).toBe(20_000);
  expect(index.find(randomBytes(1024 ** 2))).toEqual([]);

  const chosen = [0, 7, 19_999].map((number) => secrets[number] ?? expect.fail());
  const pieces = chosen.flatMap(({ bytes }) => [randomBytes(13), bytes]);
  expect(places(index, Buffer.concat(pieces))).toEqual([
    ['0', 13],
    ['7', 58],
    ['19999', 103],
  ]);
});

it('finds the shortest at both ends, and nothing that is cut off', () => {
  const bytes = Buffer.from('ABCD1234');
  const index = new SecretIndex([secret(bytes)]);
  expect(places(index, bytes)).toEqual([['key', 0]]);
  expect(places(index, Buffer.from('  ABCD1234'))).toEqual([['key', 2]]);
  expect(places(index, bytes.subarray(0, 7))).toEqual([]);
  expect(places(index, bytes.subarray(1))).toEqual([]);
  expect(places(index, Buffer.alloc(0))).toEqual([]);
  const longer = new SecretIndex([secret(Buffer.from('ABCD1234+'))]);
  expect(places(longer, bytes)).toEqual([]);
});

it('distinguishes secrets with the same beginning, and counts equal ones once', () => {
  const [one, other] = [Buffer.from('ABCDEFGH-one'), Buffer.from('ABCDEFGH-other')];
  const index = new SecretIndex([secret(one, 'one'), secret(other, 'other'), secret(one, 'again')]);
  expect(index.size).toBe(2);
  expect(places(index, Buffer.concat([one, other]))).toEqual([
    ['one', 0],
    ['other', 12],
  ]);
});

it('finds what is left of bytes that were decoded as UTF-8', () => {
  const bytes = Buffer.from('fe00ff41428043c344454647484950', 'hex');
  const index = new SecretIndex([secret(bytes)]);
  expect(places(index, Buffer.from(`the key ${bytes}`))).toEqual([['key', 11]]);
});

it('refuses what would be found everywhere', () => {
  expect(() => new SecretIndex([secret(Buffer.alloc(7))])).toThrow('so few bytes');
});
