import { randomBytes } from 'node:crypto';
import { type BinaryNode, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { encodeStanza } from './encode-stanza.js';

const message = (...contents: Uint8Array[]): BinaryNode => ({
  tag: 'message',
  attrs: { id: 'ABC', from: '123@lid', type: 'text' },
  content: contents.map((content) => ({ tag: 'enc', attrs: { v: '2', type: 'msg' }, content })),
});

test('a stanza with small contents is encoded as Baileys encodes it', () => {
  const stanza = message(Buffer.alloc(1_000, 7), Buffer.alloc(0));
  expect(encodeStanza(stanza)).toEqual(encodeBinaryNode(stanza));
});

test.each([[0, 255, 256], [1_023, 1_024, 1_025], [3, 70_000, 5, 90_000], [(1 << 20) + 1]])(
  'a stanza with contents of %s bytes decodes to what it was',
  async (...sizes) => {
    const contents = sizes.map((size) => randomBytes(size));
    const decoded = await decodeBinaryNode(encodeStanza(message(...contents)));
    expect(decoded).toMatchObject({ tag: 'message', attrs: { id: 'ABC', from: '123@lid', type: 'text' } });
    const children = Array.isArray(decoded.content) ? decoded.content : [];
    expect(children.map(({ attrs }) => attrs)).toEqual(sizes.map(() => ({ v: '2', type: 'msg' })));
    expect(
      children.map(({ content }, index) => content instanceof Uint8Array && contents[index]?.equals(content)),
    ).toEqual(sizes.map(() => true));
  },
);

test('a large content is not handled byte by byte', () => {
  let reads = 0;
  const bytes = Buffer.alloc(100_000, 1);
  const iterate = bytes[Symbol.iterator].bind(bytes);
  Object.defineProperty(bytes, Symbol.iterator, {
    value: () => {
      reads += 1;
      return iterate();
    },
  });
  encodeStanza(message(bytes));
  expect(reads).toBe(0);
  encodeBinaryNode(message(bytes));
  expect(reads).toBe(1);
});
