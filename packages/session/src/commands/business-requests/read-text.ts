import type { BinaryNode } from '@whiskeysockets/baileys';
import { getBinaryNodeChild } from '@whiskeysockets/baileys';

/** The text of a child of this tag; null without one. Empty texts count as none. */
export function textIn(node: BinaryNode | undefined, tag: string): string | null {
  return textOf(getBinaryNodeChild(node, tag));
}

/** The text of a node; null if it has none. */
export function textOf(node: BinaryNode | undefined): string | null {
  const content = node?.content;
  const text = content instanceof Uint8Array ? Buffer.from(content).toString() : content;
  return typeof text === 'string' && text !== '' ? text : null;
}

/** A whole number that a node has as its text; null if it has none. */
export function numberIn(node: BinaryNode | undefined, tag: string): number | null {
  const text = textIn(node, tag);
  const value = text === null ? Number.NaN : Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
