/** `npm start`: the whole cluster on this machine, with a demo; `npm start -- --live` against the real WhatsApp. */
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { ROOT } from './lib/root.mjs';
import { become } from './lib/run.mjs';

await main(async () => {
  checkNodeVersion();
  console.error(`Node.js ${process.versions.node}`);
  await installDependencies();
  await build(['apps/*', 'packages/simulator']);
  become(join(ROOT, 'apps/standalone/dist/main.js'), process.argv.slice(2));
});
