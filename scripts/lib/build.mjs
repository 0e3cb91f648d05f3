import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './root.mjs';
import { StepFailed, withNode } from './run.mjs';

const TURBO = join(ROOT, 'node_modules/turbo/bin/turbo');
const ENVIRONMENT = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

/**
 * Compiles what has changed since the last build: all rooms, or those in these folders and their dependencies. Reports
 * on standard error what it compiles, and the output of compilers that found errors.
 *
 * @param {readonly string[]} folders such as `apps/edge`, or `apps/*`
 */
export async function build(folders = []) {
  const filters = folders.map((folder) => `--filter=./${folder}`);
  const args = [TURBO, 'run', 'build', '--output-logs=new-only', '--no-color', ...filters];
  const turbo = spawn(process.execPath, args, {
    cwd: ROOT,
    env: withNode(ENVIRONMENT),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {string[]} */
  const printed = [];
  for (const output of [turbo.stdout, turbo.stderr]) {
    createInterface(output).on('line', (line) => {
      printed.push(line);
      const [, name] = /^(@wafleet\/\S+):build: cache miss/.exec(line) ?? [];
      if (name !== undefined) console.error(`Compiling ${name} …`);
    });
  }
  /** @type {number | null} */
  const code = await new Promise((resolve) => turbo.once('close', resolve));
  if (code === 0) return;

  console.error(printed.join('\n'));
  const { status, stderr } = spawnSync(process.execPath, [TURBO, '--version'], { encoding: 'utf8' });
  throw new StepFailed(
    status === 0
      ? `The build ended with ${code}. What it printed above says why.`
      : `turbo, which runs the build, cannot run on ${process.platform} ${process.arch}: ${stderr.trim()}`,
  );
}
