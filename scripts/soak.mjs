/**
 * `npm run soak`: breaks random parts of a cluster under traffic and checks that nothing is lost.
 *
 *   npm run soak -- --minutes 60 --seed 7    the same seed selects the same faults. Default: random
 *   npm run soak -- --minutes 60 --write     and writes the table into docs/reliability.md
 *   npm run soak -- --built                  skips installing and building
 */

import { parseArgs } from 'node:util';
import { build } from './lib/build.mjs';
import { installDependencies } from './lib/install.mjs';
import { main } from './lib/main.mjs';
import { checkNodeVersion } from './lib/node-version.mjs';
import { provideRedis } from './lib/provide-redis.mjs';
import { StepFailed } from './lib/run.mjs';
import { runVitest } from './lib/vitest.mjs';

await main(async () => {
  const { minutes, seed, write, built } = readOptions();
  checkNodeVersion();
  if (!built) {
    await installDependencies();
    await build();
  }
  await provideRedis();
  const { code } = await runVitest(['--project', 'soak'], {
    SOAK_MINUTES: String(minutes),
    ...(seed === undefined ? {} : { SOAK_SEED: String(seed) }),
    ...(write ? { SOAK_WRITE: '1' } : {}),
  });
  if (code !== 0) throw new StepFailed(`The soak ended with ${code}. What it printed above says why.`);
});

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string' },
        write: { type: 'boolean', default: false },
        built: { type: 'boolean', default: false },
      },
    });
    return {
      minutes: wholeNumber('minutes', values.minutes),
      seed: values.seed === undefined ? undefined : wholeNumber('seed', values.seed),
      write: values.write,
      built: values.built,
    };
  } catch (error) {
    throw new StepFailed(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text))
    throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}
