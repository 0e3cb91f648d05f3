/**
 * `npm test`: everything that must hold, one step after another; the first that fails ends it. Its last line counts
 * the tests.
 *
 *   npm test                                   all of it
 *   npm test -- --unit                         build, then the unit tests
 *   npm test -- --scenarios                    build, then the scenarios
 *   npm run scenarios [name]                  build, then all scenarios or those of the name
 *   npm test -- --with-slow                    all of it and the slow scenarios
 *   npm test -- --essentials                   build, then the unit tests and the scenarios that show that it works
 *   npm test -- packages/store/src/lua         build, then the tests whose path contains this
 */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { provideRedis } from './lib/provide-redis.mjs';
import { ROOT } from './lib/root.mjs';
import { run, StepFailed } from './lib/run.mjs';
import { inOneLine, sum } from './lib/test-counts.mjs';
import { runVitest } from './lib/vitest.mjs';

/** @typedef {import('./lib/test-counts.mjs').Counts} Counts */

/** Linking, sending, receiving, takeover and fan-out: what must be seen to work on each version of Node.js. */
const ESSENTIAL_SCENARIOS = ['worker-dies-while-linking', 'worker-is-killed', 'every-event-arrives'];

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const withSlow = flags.includes('--with-slow');
const everything = withSlow || (flags.length === 0 && filters.length === 0);
/** @type {Counts[]} */
const counts = [];

/**
 * @param {string} name
 * @param {() => Promise<void>} action
 */
async function step(name, action) {
  const begun = Date.now();
  console.log(`\n── ${name}`);
  await action();
  console.log(`── ${name}: done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/**
 * Runs a tool of node_modules to its end.
 *
 * @param {string} script
 * @param {string[]} args
 */
async function tool(script, args) {
  const code = await run(process.execPath, [join(ROOT, 'node_modules', script), ...args]);
  if (code !== 0) throw new StepFailed(`${script} ended with ${code}`);
}

/** @param {string[]} args */
async function vitest(args) {
  const outcome = await runVitest([...args, ...filters]);
  counts.push(outcome.counts);
  if (outcome.code !== 0) throw new StepFailed(`vitest ended with ${outcome.code}`);
}

await main(async () => {
  try {
    for (const flag of flags) {
      if (!['--unit', '--scenarios', '--slow', '--with-slow', '--essentials'].includes(flag))
        throw new StepFailed(`npm test knows no ${flag}`);
    }
    checkNodeVersion();
    await step('install', installDependencies);
    await step('build and type check', () => build());
    if (everything) {
      await step('type check of the scripts', () => tool('typescript/bin/tsc', ['-p', 'scripts']));
      await step('lint and format', () =>
        tool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--diagnostic-level=warn', '.']),
      );
      await step('dependency rules', () =>
        tool('dependency-cruiser/bin/dependency-cruise.mjs', [
          '--config',
          '.dependency-cruiser.mjs',
          'packages/*/dist',
          'apps/*/dist',
          'scenarios/dist',
          'benchmarks/dist',
        ]),
      );
      await step('dead code', () => tool('knip/bin/knip.js', []));
    }
    // Fetched here once, where it must be, rather than by every test file at the same time.
    await step('Redis for the tests', provideRedis);
    if (everything || flags.includes('--unit') || flags.includes('--essentials'))
      await step('unit tests', () => vitest(['--project', 'unit']));
    const scenarios = [
      ...(everything || flags.includes('--scenarios') ? ['scenarios'] : []),
      ...(withSlow || flags.includes('--slow') ? ['slow-scenarios'] : []),
    ];
    // In one run, so that a filter need not match both; one after another, as each fills the machine.
    if (scenarios.length > 0)
      await step(scenarios.join(' and '), () =>
        vitest(['--no-file-parallelism', ...scenarios.flatMap((project) => ['--project', project])]),
      );
    if (flags.includes('--essentials')) {
      const files = ESSENTIAL_SCENARIOS.map((name) => `scenarios/${name}.test.ts`);
      await step('essential scenarios', () => vitest(['--project', 'scenarios', ...files]));
    }
    if (flags.length === 0 && filters.length > 0) await step('tests', () => vitest([]));
  } catch (error) {
    // A step without tests of its own that fails, such as the build, is a failure that the last line must count.
    if (sum(counts).failed === 0) counts.push({ passed: 0, failed: 1, skipped: 0 });
    throw error;
  }
});

console.log(`\n${inOneLine(sum(counts))}`);
