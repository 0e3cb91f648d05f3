import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithThisProcess } from '@wafleet/local-redis';
import { StartError, withTimeout } from '@wafleet/runtime';

export interface ChildAppOptions {
  /** A name for people, e.g. `worker 2`. */
  readonly name: string;
  /** The built program. */
  readonly entry: string;
  /** All of its environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Answers 200 when the process is ready. */
  readonly readyUrl: string;
  /** Called with each line that it prints, on either output. */
  readonly onLine: (name: string, line: string) => void;
}

/** A process starts within two seconds. A busy machine may need far longer. */
const READY_TIMEOUT_MS = 90_000;
const READY_INTERVAL_MS = 50;
const READY_ANSWER_MS = 2_000;
const EARLY_LINES = 20;

/** A process of the cluster. It ends at the latest with this process, for any reason. */
export class ChildApp {
  readonly name: string;
  /** Resolves when the process has ended, to `exit code 1`, `signal SIGKILL` or the like. */
  readonly ended: Promise<string>;
  readonly #options: ChildAppOptions;
  readonly #process: ChildProcess;
  /** Its error output before it was ready: the reason if it never becomes ready. */
  readonly #earlyErrorLines: string[] = [];
  #isReady = false;
  #end: string | undefined;

  /** Starts the process; wait for `ready` before relying on it. */
  constructor(options: ChildAppOptions) {
    this.name = options.name;
    this.#options = options;
    this.#process = spawn(process.execPath, [options.entry], {
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a separate process group: the terminal's Ctrl-C reaches only this process, which stops the others in order.
      detached: true,
    });
    endWithThisProcess(this.#process);
    this.#readLines();
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end = how;
        resolve(how);
      };
      this.#process.once('error', (error) => end(error.message));
      this.#process.once('close', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    });
  }

  /** Whether it has been ready. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** @throws {StartError} with the process' own message if it ends before it is ready, or is not ready in time. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await answers(this.#options.readyUrl))) {
      if (this.#end !== undefined) {
        const words = this.#earlyErrorLines
          .map(textOf)
          .join('\n')
          .replace(/^wafleet \w+ cannot start: /, '');
        throw new StartError(`${this.name} cannot start (${this.#end})${words === '' ? '' : `: ${words}`}`);
      }
      if (performance.now() > deadline) {
        throw new StartError(
          `${this.name} is not ready after ${READY_TIMEOUT_MS / 1_000} s; LOG_LEVEL=info shows more.`,
        );
      }
      await delay(READY_INTERVAL_MS);
    }
    this.#isReady = true;
    for (const line of this.#earlyErrorLines.splice(0)) this.#options.onLine(this.name, line);
  }

  /** Asks it to stop, and kills it after the time limit. Resolves when it has ended. */
  async stop(timeoutMs: number): Promise<void> {
    this.#process.kill('SIGTERM');
    if (!(await withTimeout(this.ended, timeoutMs))) this.#process.kill('SIGKILL');
    await this.ended;
  }

  #readLines(): void {
    const { stdout, stderr } = this.#process;
    const { name, onLine } = this.#options;
    if (stdout !== null) createInterface(stdout).on('line', (line) => onLine(name, line));
    if (stderr === null) return;
    createInterface(stderr).on('line', (line) => {
      if (this.#isReady) return onLine(name, line);
      this.#earlyErrorLines.push(line);
      if (this.#earlyErrorLines.length > EARLY_LINES) this.#earlyErrorLines.shift();
    });
  }
}

/** The message of a line of JSON, or the line. */
function textOf(line: string): string {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null && 'msg' in entry) return String(entry.msg);
  } catch {
    // A line of text, such as the stack of a crash.
  }
  return line;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READY_ANSWER_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
