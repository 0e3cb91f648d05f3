import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The benchmarks still run against the current product. Their results here, on a busy machine, mean nothing. */
const PROGRAM = fileURLToPath(new URL('../../benchmarks/dist/main.js', import.meta.url));

interface Outcome {
  failures: unknown[];
  rows: { measure: string; figures: Record<string, number> }[];
}

async function quickly(bench: string, scenario: string): Promise<Outcome> {
  const options = ['--quick', '--json', '--scenario', scenario];
  const program = spawn(process.execPath, [PROGRAM, bench, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, progress, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit'),
  ]);
  expect(code, progress).toBe(0);
  return JSON.parse(output);
}

test('a scenario of the fan-out loads all three contenders and finds every delivery', async () => {
  const { failures, rows } = await quickly('fanout', 'many-subscribers');
  expect(failures).toEqual([]);
  expect(rows.map(({ figures }) => Object.keys(figures).sort())).toEqual([
    ['floor', 'peer', 'product'],
    ['floor', 'peer', 'product'],
  ]);
});

test('sessions of a worker and of plain Baileys get and send every message', async () => {
  const { failures, rows } = await quickly('worker', 'messages');
  expect(failures).toEqual([]);
  const compared = rows.filter(({ measure }) => measure === 'CPU, µs/message');
  expect(compared.map(({ figures }) => Object.keys(figures).sort())).toEqual(
    Array.from({ length: 3 }, () => ['peer', 'product']),
  );
  expect(rows.at(-1)?.figures).toEqual({ product: 0, peer: 0 });
});

test.each(['sends', 'logins', 'growth', 'idle-sessions', 'lists'])(
  'the scenario %s of workers runs',
  async (scenario) => {
    const { failures, rows } = await quickly('worker', scenario);
    expect(failures).toEqual([]);
    expect(rows.length).toBeGreaterThan(0);
  },
);

test.each([
  'unread-streams',
  'repeated-subscriptions',
  'connect-and-cut',
  'session-flood',
  'send-flood',
  'large-messages',
])('a neighbour of the attacker of %s is measured and misses nothing', async (scenario) => {
  const { failures, rows } = await quickly('neighbour', scenario);
  expect(failures).toEqual([]);
  expect(
    rows.filter(({ measure }) => measure.includes('p99')).map(({ figures }) => Object.keys(figures)),
  ).toEqual(Array.from({ length: scenario === 'send-flood' ? 5 : 4 }, () => ['attacked', 'quiet']));
  const [lost] = rows.filter(({ measure }) => measure.startsWith('lost'));
  expect(lost?.figures).toEqual({ attacked: 0, quiet: 0 });
  expect(rows.some(({ measure }) => measure.startsWith('attacker: '))).toBe(true);
});
