import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run, StepFailed } from './run.mjs';

const LOCKFILE = join(ROOT, 'package-lock.json');
/** Holds the hash of the lockfile that node_modules was installed from. */
const STAMP = join(ROOT, 'node_modules/.wafleet-installed');

/**
 * Installs the dependencies where the lockfile has changed since they were last installed.
 *
 * `npm install` rather than `npm ci`: a lockfile made behind a registry that lacks other platforms' optional packages
 * is incomplete for npm ci, while install fills the gap and keeps every version that the lockfile names.
 */
export async function installDependencies() {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockfileHash()) return;
  console.error('Installing dependencies (npm install, about a minute the first time) …');
  const code = await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) throw new StepFailed(`npm install ended with ${code}. What it printed above says why.`);
  writeFileSync(STAMP, lockfileHash());
}

function lockfileHash() {
  return createHash('sha256').update(readFileSync(LOCKFILE)).digest('hex');
}
