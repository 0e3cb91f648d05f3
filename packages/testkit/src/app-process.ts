import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endWithThisProcess } from '@wafleet/local-redis';
import { tellObservers } from './observers.js';
import { waitFor } from './wait-for.js';

/** One line of a process's log: pino's fields where it is JSON, otherwise the text under `msg`. */
export interface LogLine {
  msg?: string;
  level?: string;
  [field: string]: unknown;
}

export interface AppProcessOptions {
  /** Names the process in errors, e.g. `worker 2`. */
  name: string;
  /** The built program, e.g. `/…/apps/worker/dist/main.js`. */
  entry: string;
  /** Its arguments. Default: none. */
  arguments?: readonly string[];
  /** A program and arguments put before the command, e.g. `ip netns exec blue`. It must exec the program. */
  launcher?: readonly string[];
  /** All of its environment: nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  /** Answers 200 as soon as the process is ready. */
  readyUrl: string;
  /** Time limit for the start, ms. Default: 60,000. */
  readyTimeoutMs?: number;
}

export interface Exit {
  /** Null if a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Longer than a worker may take to hand its sessions over. */
const STOP_TIMEOUT_MS = 60_000;

const COMPLAINTS: ReadonlySet<string> = new Set(['warn', 'error', 'fatal']);

/** A program of the cluster as a real process, which a test may stop, kill or freeze. It ends with the test process. */
export class AppProcess {
  readonly name: string;
  readonly pid: number;
  /** Answers whether the process is ready, and if not, why. */
  readonly readyUrl: string;
  /** Its log so far, from both outputs. */
  readonly logs: LogLine[] = [];
  /** Settles when it has ended. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #exit: Exit | undefined;
  #askedToEnd = false;

  /** Starts it. Resolves once it is ready. Rejects with the tail of its log if it ends or hangs before. */
  static async start(options: AppProcessOptions): Promise<AppProcess> {
    const { name, entry, launcher = [], environment, readyUrl, readyTimeoutMs = 60_000 } = options;
    const [program, ...args] = [...launcher, process.execPath, entry];
    const commandLine = [...args, ...(options.arguments ?? [])];
    const child = spawn(program, commandLine, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    tellObservers((observer) =>
      observer.processStarted({
        name,
        command: [program, ...commandLine],
        environment,
        onOutput: (listener) => {
          for (const output of [child.stdout, child.stderr]) output.on('data', listener);
        },
      }),
    );
    const app = new AppProcess(name, child, readyUrl);
    try {
      const ready = waitFor(async () => app.#exit !== undefined || (await answers(readyUrl)), {
        what: `${name} ready at ${readyUrl}`,
        timeoutMs: readyTimeoutMs,
        intervalMs: 50,
      });
      await ready;
      if (app.#exit !== undefined)
        throw new Error(`${name} ended with ${app.#exit.signal ?? app.#exit.code}`);
      return app;
    } catch (error) {
      await app.kill();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n${app.logTail()}`, { cause: error });
    }
  }

  private constructor(name: string, child: ChildProcess, readyUrl: string) {
    this.name = name;
    this.readyUrl = readyUrl;
    this.#child = child;
    this.pid = child.pid ?? -1;
    endWithThisProcess(child);
    for (const output of [child.stdout, child.stderr]) {
      if (output !== null) createInterface(output).on('line', (line) => this.logs.push(parse(line)));
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** Whether it ended by itself, rather than because a test stopped or killed it. */
  get crashed(): boolean {
    return !this.running && !this.#askedToEnd;
  }

  /** Asks it to stop, as an orchestrator does. Resolves with its exit. If it does not stop, kills it and rejects. */
  async stop(): Promise<Exit> {
    this.#askedToEnd = true;
    this.resume();
    this.#child.kill('SIGTERM');
    await waitFor(() => !this.running, {
      what: `${this.name} ended after SIGTERM`,
      timeoutMs: STOP_TIMEOUT_MS,
    }).catch(async (error: Error) => {
      await this.kill();
      throw new Error(`${error.message}\n${this.logTail()}`, { cause: error });
    });
    return this.exited;
  }

  /** Kills it, as a crash of the process would. */
  kill(): Promise<Exit> {
    this.#askedToEnd = true;
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Freezes it: it keeps its connections and does nothing, like a machine that hangs. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** The first line of its log, past or to come, that `matches`. */
  waitForLog(matches: (line: LogLine) => boolean, what: string, timeoutMs?: number): Promise<LogLine> {
    const options = { what: `${this.name} logs ${what}`, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return waitFor(() => this.logs.find(matches), options);
  }

  /** The last lines that it logged as a warning or worse. */
  complaints(lines = 10): LogLine[] {
    return this.logs.filter(({ level }) => level === undefined || COMPLAINTS.has(level)).slice(-lines);
  }

  /** The last lines of its log, readable for people. */
  logTail(lines = 30): string {
    const tail = this.logs.slice(-lines).map((line) => `  ${JSON.stringify(line)}`);
    return [`the log of ${this.name} ends with:`, ...tail].join('\n');
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}

function parse(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // A line of text, such as the stack of a crash.
  }
  return { msg: line };
}
