/**
 * `npm test`: runs all checks one after another, and stops at the first that fails. The last line contains the test
 * counts.
 *
 *   npm test                                   everything except the slow scenarios
 *   npm test -- --unit                         build, then the unit tests
 *   npm test -- --scenarios                    build, then the scenarios, without the slow ones
 *   npm run scenarios [name]                   build, then all or the matching scenarios; some run only by name
 *   npm test -- --slow                         build, then the slow scenarios
 *   npm test -- --with-slow                    the same and the slow scenarios
 *   npm test -- --essentials                   build, then the unit tests and the essential scenarios
 *   npm test -- packages/store                 build, then the tests whose path contains this
 *
 * With `--built`, nothing is installed or built. For a run after one that did both.
 */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { runLanes } from './lib/lanes.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { provideRedis } from './lib/provide-redis.mjs';
import { ROOT } from './lib/root.mjs';
import { StepFailed } from './lib/run.mjs';
import { essentialScenarios, scenarioRuns } from './lib/scenarios.mjs';
import { inOneLine, sum } from './lib/test-counts.mjs';
import { runVitest } from './lib/vitest.mjs';

/** @typedef {import('./lib/test-counts.mjs').Counts} Counts */

const FLAGS = ['unit', 'scenarios', 'slow', 'with-slow', 'essentials', 'built'];

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const has = (/** @type {string} */ name) => flags.includes(`--${name}`);
const chosen = ['unit', 'scenarios', 'slow', 'essentials'].some(has);
const everything = has('with-slow') || (!chosen && filters.length === 0);
/** @type {Counts[]} */
const counts = [];

/**
 * @param {string} name
 * @param {() => Promise<unknown>} action
 */
async function step(name, action) {
  const begun = Date.now();
  console.log(`\n── ${name}`);
  await action();
  console.log(`── ${name}: done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** The checks that are not tests. Each is a tool of node_modules and its arguments. */
const CHECKS = {
  'type check of the scripts': ['typescript/bin/tsc', '-p', 'scripts'],
  'lint and format': [
    '@biomejs/biome/bin/biome',
    'check',
    '--error-on-warnings',
    '--diagnostic-level=warn',
    '.',
  ],
  'dependency rules': [
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.mjs',
    'packages/*/dist',
    'apps/*/dist',
    'scenarios/dist',
    'benchmarks/dist',
  ],
  'dead code': ['knip/bin/knip.js'],
};

async function check() {
  const lanes = Object.entries(CHECKS).map(([name, [script = '', ...args]]) => ({
    name,
    program: process.execPath,
    args: [join(ROOT, 'node_modules', script), ...args],
  }));
  const failed = await runLanes(lanes);
  if (failed.length > 0)
    throw new StepFailed(`Failed: ${failed.join(', ')}. What is printed above says why.`);
}

/** @param {readonly string[]} args */
async function vitest(args) {
  const outcome = await runVitest(args);
  counts.push(outcome.counts);
  if (outcome.code !== 0) throw new StepFailed(`vitest ended with ${outcome.code}`);
}

await main(async () => {
  try {
    for (const flag of flags) {
      if (!FLAGS.includes(flag.replace(/^--/, ''))) throw new StepFailed(`npm test knows no ${flag}`);
    }
    checkNodeVersion();
    if (!has('built')) {
      await step('install', installDependencies);
      await step('build and type check', () => build());
    }
    // Redis is fetched here once, if necessary, instead of by every test file at the same time.
    if (everything)
      await step('checks, and Redis for the tests', () => Promise.all([check(), provideRedis()]));
    else await step('Redis for the tests', provideRedis);
    if (everything || has('unit') || has('essentials'))
      await step('unit tests', () => vitest(['--project', 'unit', '--project', 'own-process', ...filters]));
    const runs = scenarioRuns({
      fast: everything || has('scenarios'),
      slow: has('with-slow') || has('slow'),
      filters,
    });
    for (const { name, args } of runs) await step(name, () => vitest(args));
    if (has('essentials')) await step('essential scenarios', () => vitest(essentialScenarios()));
    if (!everything && !chosen) await step('tests', () => vitest(filters));
  } catch (error) {
    // If a step without tests fails, such as the build, the last line must count that failure.
    if (sum(counts).failed === 0) counts.push({ passed: 0, failed: 1, skipped: 0 });
    throw error;
  }
});

console.log(`\n${inOneLine(sum(counts))}`);
