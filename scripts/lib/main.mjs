import { StepFailed } from './run.mjs';

/**
 * Runs a script's steps. Prints only the message of a failure that a person can fix, and the stack of any other. The
 * exit code is 1 in both cases.
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
