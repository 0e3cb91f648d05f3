/**
 * `npm run test:node`: the unit tests and the essential scenarios on other versions of Node.js, one after the other,
 * each fetched from npm. Linux on x64 only.
 *
 *   npm run test:node                        every version of scripts/node-versions.json
 *   npm run test:node -- 24.22.3 26.12.1     these
 *   npm run test:node -- --every-run         those that `.ci/run` tests
 *   npm run test:node -- --built 26.12.1     skips installing and building
 */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { provideNode } from './lib/node-binary.mjs';
import { readNodeVersions } from './lib/node-version.mjs';
import { ROOT } from './lib/root.mjs';
import { run, StepFailed } from './lib/run.mjs';

await main(async () => {
  const has = (/** @type {string} */ flag) => process.argv.includes(flag);
  const given = process.argv
    .slice(2)
    .filter((argument) => argument !== '--built' && argument !== '--every-run');
  const unknown = given.find((version) => !/^\d+\.\d+\.\d+$/.test(version));
  if (unknown !== undefined) throw new StepFailed(`${unknown} is not a version such as 26.12.1.`);
  // Once for all versions, with the version that runs this script.
  if (!has('--built')) {
    await installDependencies();
    await build();
  }
  const { tried, everyRun } = readNodeVersions();
  const listed = has('--every-run') ? everyRun : tried;
  for (const version of given.length > 0 ? given : listed) {
    console.log(`\n══ Node.js ${version}`);
    const code = await run(provideNode(version), [join(ROOT, 'scripts/test.mjs'), '--essentials', '--built']);
    if (code !== 0)
      throw new StepFailed(`The tests fail on Node.js ${version}. What is printed above says why.`);
  }
});
