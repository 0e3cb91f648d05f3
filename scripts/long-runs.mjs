/**
 * `npm run long-runs`: a soak of 10 minutes with a random seed, and the tests on the versions of Node.js that `everyRun`
 * of `scripts/node-versions.json` lists. Side by side, since neither measures.
 */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { runLanes } from './lib/lanes.mjs';
import { main } from './lib/main.mjs';
import { readNodeVersions } from './lib/node-version.mjs';
import { ROOT } from './lib/root.mjs';
import { StepFailed } from './lib/run.mjs';

const SOAK_MINUTES = '10';

await main(async () => {
  await installDependencies();
  await build();
  /** @param {string[]} args */
  const lane = (...args) => ({
    name: args.join(' '),
    program: process.execPath,
    args: [join(ROOT, 'scripts', args[0] ?? ''), ...args.slice(1)],
  });
  const failed = await runLanes([
    lane('soak.mjs', '--built', '--minutes', SOAK_MINUTES),
    lane('test-on-node.mjs', '--built', ...readNodeVersions().everyRun),
  ]);
  if (failed.length > 0)
    throw new StepFailed(`Failed: ${failed.join(', ')}. What is printed above says why.`);
});
