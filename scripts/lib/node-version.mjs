import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * `oldest`: the oldest version that works. `image`: the version of the container images. `tried`: versions on which the
 * tests pass. `everyRun`: those of them that `.ci/run` tests.
 *
 * @typedef {{ oldest: string, image: string, tried: string[], everyRun: string[] }} NodeVersions
 */

/** @returns {NodeVersions} */
export function readNodeVersions() {
  return JSON.parse(readFileSync(join(ROOT, 'scripts/node-versions.json'), 'utf8'));
}

/**
 * Whether a version of Node is at least another one. Both have the format `major.minor.patch`.
 *
 * @param {string} version
 * @param {string} least
 */
export function isAtLeast(version, least) {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

/**
 * The problem with a version of Node. `refused`: it is known not to work. `untried`: the tests never ran on its release
 * line, or only on older patches of it. Undefined if there is no problem.
 *
 * @param {string} version
 * @param {Pick<NodeVersions, 'oldest' | 'tried'>} versions
 * @returns {'refused' | 'untried' | undefined}
 */
export function assess(version, { oldest, tried }) {
  if (!isAtLeast(version, oldest)) return 'refused';
  const major = version.split('.')[0];
  const sameLine = tried.filter((each) => each.split('.')[0] === major);
  return sameLine.some((each) => isAtLeast(each, version)) ? undefined : 'untried';
}

/** Warns if the tests never ran on this version of Node. @throws {StepFailed} if it is known not to work. */
export function checkNodeVersion() {
  const { node } = process.versions;
  const versions = readNodeVersions();
  const verdict = assess(node, versions);
  if (verdict === 'refused') {
    throw new StepFailed(
      `Wafleet needs Node.js ${versions.oldest} or newer; this is ${node} (${process.execPath}).`,
    );
  }
  if (verdict === 'untried') {
    console.error(
      `Warning: Wafleet is not tested on Node.js ${node}. The tests pass on ${versions.tried.join(', ')}.`,
    );
  }
}
