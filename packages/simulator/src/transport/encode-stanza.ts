import { randomBytes } from 'node:crypto';
import { type BinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';

/** Contents of at least this size, in bytes, are inserted after the encoding. */
const LARGE_BYTES = 64 * 1024;
const MARK_BYTES = 16;
/** The tag before bytes with a 4-byte length. */
const BINARY_32 = 254;

/**
 * Encodes a stanza as WhatsApp does. Baileys takes half a second for a content of 10 MB, and during that time the
 * simulator serves no other connection. Therefore each large content is encoded as a short placeholder. The content,
 * with its own tag and length, then replaces the placeholder.
 */
export function encodeStanza(stanza: BinaryNode): Buffer {
  const contents = new Map<Buffer, Uint8Array>();
  let encoded = encodeBinaryNode(marked(stanza, contents));
  for (const [mark, content] of contents) {
    const at = encoded.indexOf(mark);
    const head = Buffer.from([BINARY_32, 0, 0, 0, 0]);
    head.writeUInt32BE(content.length, 1);
    encoded = Buffer.concat([encoded.subarray(0, at - 2), head, content, encoded.subarray(at + MARK_BYTES)]);
  }
  return encoded;
}

function marked(node: BinaryNode, contents: Map<Buffer, Uint8Array>): BinaryNode {
  const { content } = node;
  if (Array.isArray(content)) return { ...node, content: content.map((child) => marked(child, contents)) };
  if (!(content instanceof Uint8Array) || content.length < LARGE_BYTES) return node;
  const mark = randomBytes(MARK_BYTES);
  contents.set(mark, content);
  return { ...node, content: mark };
}
