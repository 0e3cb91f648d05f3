import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The benchmarks still run against the product as it is. What they measure here, on a busy machine, means nothing. */
const PROGRAM = fileURLToPath(new URL('../../benchmarks/dist/main.js', import.meta.url));

interface Outcome {
  failures: unknown[];
  rows: { figures: Record<string, number> }[];
}

test('a scenario of the fan-out loads all three contenders and finds every delivery', async () => {
  const options = ['--quick', '--json', '--scenario', 'many-subscribers'];
  const bench = spawn(process.execPath, [PROGRAM, 'fanout', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, progress, [code]] = await Promise.all([
    text(bench.stdout),
    text(bench.stderr),
    once(bench, 'exit'),
  ]);
  expect(code, progress).toBe(0);
  const { failures, rows }: Outcome = JSON.parse(output);
  expect(failures).toEqual([]);
  expect(rows.map(({ figures }) => Object.keys(figures).sort())).toEqual([
    ['floor', 'peer', 'product'],
    ['floor', 'peer', 'product'],
  ]);
});
