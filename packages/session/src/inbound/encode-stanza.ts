import { randomBytes } from 'node:crypto';
import { type BinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';

/** Contents of at least this many bytes are copied as a whole. */
const LARGE_BYTES = 1_024;
const MARK_BYTES = 16;
/**
 * The prefix of bytes in a binary node: `BINARY_8` and the length in one byte, as the mark has it, or `BINARY_32` and
 * the length in four bytes.
 */
const MARK_HEAD_BYTES = 2;
const BINARY_32 = 254;

interface Large {
  readonly mark: Buffer;
  readonly content: Uint8Array;
}

/**
 * Encodes a stanza as Baileys' `encodeBinaryNode` does, with the same result. Baileys processes the bytes of a content
 * one by one: a content of 5 MB blocks the process for half a second. Here large contents are copied.
 */
export function encodeStanza(stanza: BinaryNode): Buffer {
  const found: Large[] = [];
  const encoded = encodeBinaryNode(withMarks(stanza, found));
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { mark, content } of found) {
    const at = encoded.indexOf(mark, from);
    if (at < 0) throw new Error('a content of the stanza was not encoded');
    const head = Buffer.alloc(5);
    head[0] = BINARY_32;
    head.writeUInt32BE(content.length, 1);
    parts.push(encoded.subarray(from, at - MARK_HEAD_BYTES), head, content);
    from = at + MARK_BYTES;
  }
  if (parts.length === 0) return encoded;
  return Buffer.concat([...parts, encoded.subarray(from)]);
}

/** The stanza with a random mark in place of each large content, and the contents in the order of encoding. */
function withMarks(node: BinaryNode, found: Large[]): BinaryNode {
  const { content } = node;
  if (Array.isArray(content)) {
    return { ...node, content: content.map((child) => withMarks(child, found)) };
  }
  if (!(content instanceof Uint8Array) || content.length < LARGE_BYTES) return node;
  const mark = randomBytes(MARK_BYTES);
  found.push({ mark, content });
  return { ...node, content: mark };
}
