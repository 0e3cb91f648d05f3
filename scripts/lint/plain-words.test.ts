import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findListedWords } from './plain-words.js';

const ROOT = new URL('../../', import.meta.url);
/** The list itself, the text of a contract that is not ours, and decisions, which are kept as they were written. */
const LEFT_OUT = /^(scripts\/lint\/plain-words|docs\/websocket-events\.md|docs\/decisions\/|docs\/schemas\/)/;

const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs', '*.lua', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !LEFT_OUT.test(file));

describe('plain words', () => {
  it('are the only ones in code, comments and documents', () => {
    const found = files.flatMap((file) =>
      findListedWords(readFileSync(new URL(file, ROOT), 'utf8')).map(
        ({ line, word, instead }) => `${file}:${line}: "${word}": write ${instead}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it('are what the list leaves alone', () => {
    const text = 'There is no session.\nIt is no longer there.\nIt is no session.\nWhoever asks is told.';
    expect(findListedWords(text).map(({ line, word }) => [line, word.toLowerCase()])).toEqual([
      [3, 'is no s'],
      [4, 'told'],
      [4, 'whoever'],
    ]);
  });
});
