import { expect, test } from 'vitest';
import { installPatches } from './install.js';

/** Node.js 26 makes a block larger by this number of bytes, to align it. */
const ALIGNMENT_BYTES = 64;

test('a small buffer that is kept keeps no more than 2 KB in memory', () => {
  installPatches();
  const blocks = new Set<ArrayBufferLike>();
  // The first buffers may still come from a block of Node.js' earlier size.
  for (let bytes = 0; bytes < 128 * 1024; bytes += 64) blocks.add(Buffer.from('k'.repeat(64)).buffer);
  const [, ...later] = blocks;
  expect(later.length).toBeGreaterThan(1);
  expect(Math.max(...later.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(2_048 + ALIGNMENT_BYTES);
});
