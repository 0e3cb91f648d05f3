import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lane, runLanes } from './lanes.mjs';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wafleet-lanes-test-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A lane that prints two lines and ends with this code, after the lane that it waits for. */
function lane(name: string, { code = 0, after = '' } = {}): Lane {
  const script = `
    import { existsSync, writeFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    console.log('begin of ${name}');
    console.error('error of ${name}');
    while ('${after}' !== '' && !existsSync('${join(folder, after)}')) await setTimeout(20);
    console.log('end of ${name}');
    writeFileSync('${join(folder, name)}', '');
    process.exitCode = ${code};`;
  return { name, program: process.execPath, args: ['--input-type=module', '--eval', script] };
}

it('runs lanes concurrently, prints each as a whole when it ends, and returns the failed ones', async () => {
  const printed: string[] = [];
  const lanes = [
    lane('one', { code: 3, after: 'two' }),
    lane('two'),
    lane('three', { after: 'one', code: 1 }),
  ];
  const failed = await runLanes(lanes, { print: (text) => printed.push(text) });
  expect(failed).toEqual(['one', 'three']);
  const outcomes = { one: 'FAILED with 3', three: 'FAILED with 1', two: 'passed' };
  expect(printed.sort()).toEqual(
    Object.entries(outcomes).map(([name, outcome]) => {
      const output = `begin of ${name}\nerror of ${name}\nend of ${name}`;
      return expect.stringMatching(new RegExp(`^\n══ ${name}\n${output}\n══ ${name}: ${outcome}, \\d+ s$`));
    }),
  );
});

it('reports at intervals which lanes run, and what they printed last', async () => {
  const printed: string[] = [];
  let go = () => {};
  const reported = new Promise<void>((resolve) => {
    go = resolve;
  });
  const failed = runLanes([lane('four', { after: 'five' })], {
    everyMs: 50,
    print: (text) => {
      printed.push(text);
      if (text.includes('error of four')) go();
    },
  });
  await reported;
  expect(printed.at(-1)).toMatch(/^── four, \d+ s: error of four$/);
  await runLanes([lane('five')], { print: () => {} });
  expect(await failed).toEqual([]);
});

it('counts a program that cannot be started as a lane that failed', async () => {
  const printed: string[] = [];
  const program = join(folder, 'no-such-program');
  expect(
    await runLanes([{ name: 'none', program, args: [] }], { print: (text) => printed.push(text) }),
  ).toEqual(['none']);
  expect(printed).toEqual([expect.stringContaining('ENOENT')]);
});
