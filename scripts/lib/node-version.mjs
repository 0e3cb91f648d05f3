import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * Whether a version of Node is at least another; both as `major.minor.patch`.
 *
 * @param {string} version
 * @param {string} least
 */
export function isAtLeast(version, least) {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

/** Stops with a clear message where Node is older than package.json's `engines` wants. */
export function checkNodeVersion() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const least = engines.node.replace('>=', '');
  if (isAtLeast(process.versions.node, least)) return;
  throw new StepFailed(
    `Wafleet needs Node.js ${least} or newer; this is ${process.versions.node} (${process.execPath}).`,
  );
}
