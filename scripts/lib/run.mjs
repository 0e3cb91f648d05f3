import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { ROOT } from './root.mjs';

/** A step that cannot go on, for a reason that a person can read: it needs no stack. */
export class StepFailed extends Error {}

/**
 * Runs a program in the root folder, on this terminal, and resolves with its exit code: 127 when it cannot be found,
 * 128 and the signal's number when one ended it.
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
 * Runs a program of Node in this process's place: it gets every signal that this process gets, once, and this process
 * ends with its exit code.
 *
 * @param {string} entry
 * @param {readonly string[]} args
 */
export function become(entry, args) {
  // Before the program starts: a signal that came in between would end this process alone.
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
    // A group of its own: on Ctrl-C the terminal signals this process, its npm signals it too, and each would reach
    // the program; a program takes a second signal for impatience and stops uncleanly.
    detached: true,
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
 * Asks a process to stop when this one ends in a way that cannot be handled, such as a SIGKILL: the guard's input ends
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
 * This process's environment and more. npm and turbo start Node by its name: that must be the Node which runs this.
 *
 * @param {Readonly<Record<string, string>>} environment
 */
export function withNode(environment) {
  const path = [dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, ...environment };
}
