import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { ROOT } from './root.mjs';

/** A step failed for a reason that its message explains, so that no stack is needed. */
export class StepFailed extends Error {}

/**
 * Runs a program in the root folder, on this terminal. Resolves with its exit code: 127 if it cannot be found, and 128
 * plus the signal's number if a signal ended it.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} environment added to this process's own
 * @returns {Promise<number>}
 */
export function run(program, args, environment = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: withNode(environment) });
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(exitCode(code, signal)));
  });
}

/**
 * Runs a Node program in place of this process. The program gets every signal that this process gets, once. This
 * process ends with the program's exit code.
 *
 * @param {string} entry
 * @param {readonly string[]} args
 * @param {{ asksUser?: boolean }} [options] `asksUser`: it reads from the terminal
 */
export function become(entry, args, { asksUser = false } = {}) {
  // Before the program starts, because a signal in between would end only this process.
  let lastSignalAt = 0;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - lastSignalAt > 500) child.kill(signal);
      lastSignalAt = now;
    });
  }
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    // In a separate process group: on Ctrl-C the terminal and npm both signal this process, and each signal would reach
    // the program. A program treats a second signal as a forced stop. One that asks its user needs the terminal.
    detached: !asksUser,
  });
  const guard = stopWithThisProcess(child.pid);
  child.once('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.once('close', (code, signal) => {
    guard.kill('SIGKILL');
    process.exit(exitCode(code, signal));
  });
}

/**
 * Asks a process to stop if this one ends in a way that cannot be handled, such as a SIGKILL. The guard's input ends
 * with this process.
 *
 * @param {number | undefined} pid
 */
function stopWithThisProcess(pid) {
  return spawn('/bin/sh', ['-c', `read -r _; kill -TERM ${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
export function exitCode(code, signal) {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/**
 * This process's environment plus the given variables. npm and turbo start Node by its name, which must be the Node
 * that runs this process.
 *
 * @param {Readonly<Record<string, string>>} environment
 */
export function withNode(environment) {
  const path = [dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, ...environment };
}
