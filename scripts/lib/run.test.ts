import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Prints its process id and every signal that it gets. Ends with exit code 7 after the first. */
const PROGRAM = `
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    console.log(signal);
    setTimeout(() => process.exit(7), 100);
  });
}
setInterval(() => {}, 1000);
console.log(process.pid + ' ' + process.argv.slice(2));
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wafleet-run-'));
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  const run = JSON.stringify(new URL('run.mjs', import.meta.url));
  const program = JSON.stringify(join(folder, 'program.mjs'));
  writeFileSync(join(folder, 'script.mjs'), `import { become } from ${run}; become(${program}, ['--live']);`);
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const start = scripts.start.replace('scripts/start.mjs', 'script.mjs');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start } }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(
  program = process.execPath,
  args = [join(folder, 'script.mjs')],
): Promise<{ script: ChildProcess; lines: string[]; closed: Promise<unknown[]> }> {
  const script = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const closed = once(script, 'close');
  const output = createInterface(script.stdout);
  output.on('line', (line) => lines.push(line));
  await once(output, 'line');
  return { script, lines, closed };
}

it('passes on the arguments, the exit code, and a signal that arrives twice at once as one', async () => {
  const { script, lines, closed } = await start();
  script.kill('SIGINT');
  script.kill('SIGINT');
  expect(await closed).toEqual([7, null]);
  expect(lines).toEqual([expect.stringMatching(/^\d+ --live$/), 'SIGINT']);
});

it('stops the program even if the script is killed', async () => {
  const { script, lines, closed } = await start();
  script.kill('SIGKILL');
  await closed;
  expect(lines.at(-1)).toBe('SIGTERM');
});

it('a signal to npm alone, such as from a process manager, reaches the program of `npm start`', async () => {
  const { script, lines, closed } = await start('npm', ['--silent', 'start']);
  script.kill('SIGTERM');
  expect(await closed).toEqual([7, null]);
  expect(lines.at(-1)).toBe('SIGTERM');
});
