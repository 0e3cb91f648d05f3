import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { exitCode, withNode } from './run.mjs';

/**
 * A program that runs concurrently with others.
 *
 * @typedef {{ name: string, program: string, args: readonly string[] }} Lane
 */

/**
 * Runs programs concurrently in the root folder. The output of a program is held back and printed as a whole when it
 * ends, so that the outputs do not mix. A failed lane does not stop the others.
 *
 * @param {readonly Lane[]} lanes
 * @param {{ print?: (text: string) => void, everyMs?: number }} options `print` gets the text (default: standard
 *   output). `everyMs` is the interval for reporting which lanes still run
 * @returns {Promise<string[]>} the names of the lanes that failed
 */
export async function runLanes(lanes, { print = (text) => console.log(text), everyMs = 60_000 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wafleet-lanes-'));
  /** @type {Map<string, string>} */
  const running = new Map(lanes.map(({ name }, index) => [name, join(folder, `${index}`)]));
  const begun = Date.now();
  const elapsed = () => `${Math.round((Date.now() - begun) / 1000)} s`;
  const telling = setInterval(() => {
    for (const [name, file] of running) print(`── ${name}, ${elapsed()}: ${lastLine(file)}`);
  }, everyMs);
  try {
    const codes = await Promise.all(
      lanes.map(async (lane) => {
        const file = running.get(lane.name) ?? '';
        const code = await runInto(file, lane);
        running.delete(lane.name);
        const outcome = code === 0 ? 'passed' : `FAILED with ${code}`;
        print(
          `\n══ ${lane.name}\n${readFileSync(file, 'utf8').trimEnd()}\n══ ${lane.name}: ${outcome}, ${elapsed()}`,
        );
        return code;
      }),
    );
    return lanes.filter((_, index) => codes[index] !== 0).map(({ name }) => name);
  } finally {
    clearInterval(telling);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a program with its outputs in a file. Resolves with its exit code, as `run` does.
 *
 * @param {string} file
 * @param {Lane} lane
 * @returns {Promise<number>}
 */
function runInto(file, { program, args }) {
  const output = openSync(file, 'a');
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', output, output], env: withNode({}) });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      writeSync(output, `${error.message}\n`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(exitCode(code, signal)));
  }).finally(() => closeSync(output));
}

/** @param {string} file */
function lastLine(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)?.trim() ?? '';
}
