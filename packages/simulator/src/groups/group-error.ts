import type { BinaryNode } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';

/**
 * The server refuses a group request: 401 or 403 without the right, 404 if unknown, 406 if not allowed, 408 for people
 * who left, 409 if already the case, 419 if the group is full.
 */
export class GroupError extends IqError {
  /** What the answer says besides the code, if it is about one person. */
  readonly content: readonly BinaryNode[];

  constructor(code: number, text: string, content: readonly BinaryNode[] = []) {
    super(code, text);
    this.content = content;
  }
}
