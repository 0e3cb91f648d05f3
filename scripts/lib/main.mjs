import { StepFailed } from './run.mjs';

/**
 * Runs a script's steps. A failure that a person can mend is printed in its own words, any other one with its stack;
 * the exit code is 1 either way.
 *
 * @param {() => Promise<void>} steps
 */
export async function main(steps) {
  try {
    await steps();
  } catch (error) {
    console.error(error instanceof StepFailed ? error.message : error);
    process.exitCode = 1;
  }
}
