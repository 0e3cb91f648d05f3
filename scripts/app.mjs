/** `npm run edge`, `npm run worker`, `npm run placer`, `npm run move`, `npm run simulator`: one program, configured by environment. */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { ROOT } from './lib/root.mjs';
import { become, StepFailed } from './lib/run.mjs';

const FOLDERS = new Map([
  ['edge', 'apps/edge'],
  ['worker', 'apps/worker'],
  ['placer', 'apps/placer'],
  ['move', 'apps/move'],
  ['simulator', 'packages/simulator'],
]);

await main(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const folder = FOLDERS.get(name);
  if (folder === undefined) {
    throw new StepFailed(`usage: node scripts/app.mjs ${[...FOLDERS.keys()].join('|')} [arguments]`);
  }
  checkNodeVersion();
  await installDependencies();
  await build([folder]);
  become(join(ROOT, folder, 'dist/main.js'), args, { asksUser: name === 'move' });
});
