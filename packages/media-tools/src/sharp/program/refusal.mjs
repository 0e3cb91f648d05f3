/** @import { SharpAnswer } from '../sharp-jobs.js' */

/** An error with an answer of its own. */
export class Refusal extends Error {
  /** @param {SharpAnswer} answer */
  constructor(answer) {
    super();
    this.answer = answer;
  }
}

/**
 * What an error of libvips means. It has no codes.
 *
 * @param {unknown} error
 * @returns {SharpAnswer}
 */
export function refusalOf(error) {
  const message = error instanceof Error ? error.message : '';
  if (/pixel limit|exceeds the maximum|dimensions? .*too large/i.test(message)) {
    return { refused: 'too-large', bound: 'pixels' };
  }
  if (/out of memory|unable to allocate|allocation failed/i.test(message)) {
    return { refused: 'too-large', bound: 'memory' };
  }
  if (/ENOSPC|EDQUOT/.test(message)) return { refused: 'spool-full' };
  if (/EFBIG|file too large/i.test(message)) return { refused: 'too-large', bound: 'bytes' };
  return { refused: 'unreadable' };
}
