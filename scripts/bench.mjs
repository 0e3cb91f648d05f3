/** `npm run bench -- fanout`: the benchmarks; without a name it lists them. */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { ROOT } from './lib/root.mjs';
import { become } from './lib/run.mjs';

await main(async () => {
  checkNodeVersion();
  await installDependencies();
  await build(['benchmarks', 'apps/edge', 'apps/worker', 'apps/placer']);
  become(join(ROOT, 'benchmarks/dist/main.js'), process.argv.slice(2));
});
