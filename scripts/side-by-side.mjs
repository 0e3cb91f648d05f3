/**
 * Runs shell commands side by side, each with its output held back until it ends, and fails if one of them fails:
 *
 *   node scripts/side-by-side.mjs 'npm test -- --slow --built' 'npm run test:node -- --built 26.12.1'
 */
import { runLanes } from './lib/lanes.mjs';
import { main } from './lib/main.mjs';
import { StepFailed } from './lib/run.mjs';

await main(async () => {
  const commands = process.argv.slice(2);
  const lanes = commands.map((command) => ({ name: command, program: '/bin/sh', args: ['-euc', command] }));
  const failed = await runLanes(lanes);
  if (failed.length > 0)
    throw new StepFailed(`Failed: ${failed.join('; ')}. What is printed above says why.`);
});
