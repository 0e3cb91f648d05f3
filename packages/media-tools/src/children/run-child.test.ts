import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SpoolBudget } from '../spool/spool-budget.js';
import { SpoolFile } from '../spool/spool-file.js';
import { contentOf, spoolOf } from '../testing/samples.js';
import { type ChildRun, PIPES, runChild } from './run-child.js';

const MiB = 1024 ** 2;
const bounds = { timeoutMs: 60_000, memoryBytes: 256 * MiB, maxOutputBytes: MiB };

let input: SpoolFile;

beforeEach(async () => {
  input = await spoolOf('content of the input');
});

afterEach(() => input.close());

/** Runs a script of the shell, as a program that prints. */
async function runScript(script: string, options: Partial<ChildRun> = {}) {
  let printed = '';
  const exit = await runChild({
    tool: 'ffmpeg',
    program: '/bin/sh',
    args: ['-c', script],
    input,
    readers: [
      async (stdout) => {
        printed = await text(stdout);
      },
    ],
    bounds,
    ...options,
  });
  return { exit, printed };
}

/** A program that prints its process id and then never ends, and the id. */
function endlessProgram() {
  const found: { pid: number } = { pid: 0 };
  const readers = [
    async (stdout: Readable) => {
      for await (const chunk of stdout) found.pid = Number(chunk);
    },
  ];
  return { found, script: 'echo $$; exec sleep 1000', readers };
}

/** Not even as a zombie, which would have an entry. */
const isGone = (pid: number) => !existsSync(`/proc/${pid}`);

it('gives the child its input and output, and nothing of the environment', async () => {
  const output = await SpoolFile.open();
  const script = 'cat /dev/fd/3 /dev/fd/3 > /dev/fd/4; echo none >&5; env';
  let second = '';
  const { exit, printed } = await runScript(script, {
    output,
    readers: [
      readNothing,
      async (pipe) => {
        second = await text(pipe);
      },
    ],
  });
  expect(exit.code).toBe(0);
  expect((await contentOf(output)).toString()).toBe('content of the inputcontent of the input');
  expect(second).toBe('none\n');
  expect(PIPES).toHaveLength(3);
  expect(printed).toBe('');
  const environment = await runScript('env');
  // The shell sets these itself.
  expect(environment.printed.replace(/^(PWD|SHLVL|_|OLDPWD)=.*\n/gm, '')).toBe('');
  await output.close();
});

async function readNothing(stdout: Readable): Promise<void> {
  stdout.resume();
}

it('passes arguments on as they are', async () => {
  const { printed } = await runScript('', { program: '/bin/echo', args: ['$(id)', '; id', '`id`', '"'] });
  expect(printed).toBe('$(id) ; id `id` "\n');
});

it('kills a child that takes too long', async () => {
  const { found, script, readers } = endlessProgram();
  const running = runScript(script, { readers, bounds: { ...bounds, timeoutMs: 200 } });
  await expect(running).rejects.toMatchObject({ kind: 'timeout' });
  expect(found.pid).toBeGreaterThan(0);
  expect(isGone(found.pid)).toBe(true);
});

it('kills a child when the signal aborts, and fails with its reason', async () => {
  const abort = new AbortController();
  const { found, script, readers } = endlessProgram();
  const running = runScript(script, { readers, signal: abort.signal });
  await waitFor(() => found.pid > 0, { what: 'the child to run' });
  abort.abort(new Error('the client left'));
  await expect(running).rejects.toThrow('the client left');
  expect(isGone(found.pid)).toBe(true);
});

it('kills a child whose reader fails', async () => {
  const { script } = endlessProgram();
  let pid = 0;
  const running = runScript(script, {
    readers: [
      async (stdout) => {
        for await (const chunk of stdout) {
          pid = Number(chunk);
          throw new Error('too many frames');
        }
      },
    ],
  });
  await expect(running).rejects.toThrow('too many frames');
  expect(isGone(pid)).toBe(true);
});

it('bounds what a child writes', async () => {
  const output = await SpoolFile.open();
  const { exit } = await runScript('head -c 2000000 /dev/zero > /dev/fd/4', { output });
  expect(exit.code === 0).toBe(false);
  expect(output.bytes).toBeLessThanOrEqual(MiB);
  await output.close();
});

it('lets a child without an output write no file', async () => {
  const { exit } = await runScript('exec 1>/dev/null; head -c 10 /dev/zero >> /dev/fd/3');
  expect(exit.code === 0).toBe(false);
  expect((await contentOf(input)).toString()).toBe('content of the input');
});

it('bounds the memory of a child', async () => {
  const script = 'const all = []; while (true) all.push(Buffer.alloc(1e7, 1))';
  const { exit } = await runScript('', { program: process.execPath, args: ['-e', script] });
  expect(exit.code === 0).toBe(false);
});

it('is the first to end when memory is short', async () => {
  expect((await runScript('cat /proc/self/oom_score_adj')).printed).toBe('1000\n');
});

it('leaves no core dump', async () => {
  expect((await runScript('ulimit -c')).printed).toBe('0\n');
});

it('reserves room for the output before it starts the child', async () => {
  const output = await SpoolFile.open({ budget: new SpoolBudget(1_000) });
  await expect(runScript('true', { output })).rejects.toMatchObject({ kind: 'spool-full' });
  await output.close();
});

it('tells a program that is not there by its exit code', async () => {
  expect((await runScript('', { program: '/nowhere/ffmpeg' })).exit.code).toBe(127);
});
