import { expect, test } from 'vitest';
import { SealedValueError } from './cipher.js';
import { ReplyBox, sealReply } from './reply-box.js';

const SECRET = 'socks5://customer:topsecret@proxy.example:1080';

test('only the process that has asked opens a reply, and only for what it is', () => {
  const box = new ReplyBox();
  const sealed = sealReply(box.publicKey, SECRET, 'proxy a/b');
  expect(box.open(sealed, 'proxy a/b')).toBe(SECRET);
  expect(() => box.open(sealed, 'proxy a/c')).toThrow(SealedValueError);
  expect(() => new ReplyBox().open(sealed, 'proxy a/b')).toThrow(SealedValueError);
  expect(Buffer.from(sealed.split('.')[1] ?? '', 'base64url').includes('topsecret')).toBe(false);
});

test('each reply is sealed with a key of its own', () => {
  const { publicKey } = new ReplyBox();
  const [first, second] = [1, 2].map(() => sealReply(publicKey, SECRET, 'proxy').split('.'));
  expect(first?.[0]).not.toBe(second?.[0]);
  expect(first?.[1]).not.toBe(second?.[1]);
});

test.each(['', 'nonsense', 'a.b', '.', `${new ReplyBox().publicKey}.`, `${new ReplyBox().publicKey}.AAAA`])(
  '%s is not a reply',
  (sealed) => {
    expect(() => new ReplyBox().open(sealed, 'proxy')).toThrow(SealedValueError);
  },
);

test.each([
  ['nothing', ''],
  ['text', 'nonsense'],
  // X25519's point of order 1, with which every secret would be zero.
  [
    'a key without secrets',
    Buffer.from(`302a300506032b656e032100${'00'.repeat(32)}`, 'hex').toString('base64url'),
  ],
])('nothing is sealed for %s in place of a key', (_what, key) => {
  expect(() => sealReply(key, SECRET, 'proxy')).toThrow(SealedValueError);
});
