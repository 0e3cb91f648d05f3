import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * `oldest`: the oldest version that works. `image`: the version of the container images. `tried`: versions that the
 * tests pass on. `everyRun`: those of them that `.ci/run` tries.
 *
 * @typedef {{ oldest: string, image: string, tried: string[], everyRun: string[] }} NodeVersions
 */

/** @returns {NodeVersions} */
export function readNodeVersions() {
  return JSON.parse(readFileSync(join(ROOT, 'scripts/node-versions.json'), 'utf8'));
}

/**
 * Whether a version of Node is at least another; both as `major.minor.patch`.
 *
 * @param {string} version
 * @param {string} least
 */
export function isAtLeast(version, least) {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

/**
 * What is wrong with a version of Node: `refused` where it is known not to work, `untried` where the tests never ran on
 * its release line or only on older patches of it. Undefined where nothing is.
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

/** Warns where the tests never ran on this version of Node. @throws {StepFailed} where it is known not to work. */
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
