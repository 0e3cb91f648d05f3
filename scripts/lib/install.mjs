import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run, StepFailed } from './run.mjs';

const LOCKFILE = join(ROOT, 'package-lock.json');
/** The file with the hash of the lockfile from which node_modules was installed. */
const STAMP = join(ROOT, 'node_modules/.wafleet-installed');

/**
 * Installs the exact dependencies of the lockfile if it has changed since the last installation.
 */
export async function installDependencies() {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockfileHash()) return;
  console.error('Installing dependencies (npm ci, about a minute the first time) …');
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) throw new StepFailed(`npm ci ended with ${code}. What it printed above says why.`);
  writeFileSync(STAMP, lockfileHash());
}

function lockfileHash() {
  return createHash('sha256').update(readFileSync(LOCKFILE)).digest('hex');
}
