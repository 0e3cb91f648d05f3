import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { endWithThisProcess } from '@wafleet/local-redis';
import { z } from 'zod';

const answerSchema = z.union([
  z.object({ id: z.number(), reply: z.unknown() }),
  z.object({ id: z.number(), error: z.string() }),
]);

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface ProgramOptions {
  /** A program and arguments put before the command. It must exec the program. */
  readonly launcher?: readonly string[];
  /** Options of Node. Default: source maps. */
  readonly nodeOptions?: readonly string[];
  /** Whether its output is dropped. Otherwise it goes to this process's standard error. */
  readonly silent?: boolean;
}

/** One of our programs in a separate process. Its operations (see `serveOperations`) are called over Node's IPC. */
export class Program {
  readonly pid: number;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  /** @param entry the built module. @param args its command line. */
  constructor(name: string, entry: URL, args: readonly string[], options: ProgramOptions = {}) {
    const { launcher = [], nodeOptions = [], silent = false } = options;
    this.#name = name;
    const output = silent ? 'ignore' : 2;
    const node = [process.execPath, ...nodeOptions];
    const [program, ...rest] = [...launcher, ...node, entry.pathname, ...args];
    this.#child = spawn(program ?? process.execPath, rest, { stdio: ['ignore', output, output, 'ipc'] });
    this.pid = this.#child.pid ?? -1;
    endWithThisProcess(this.#child);
    this.#child.on('message', (message) => this.#settle(message));
    this.#child.once('exit', (code, signal) => {
      const error = new Error(`the ${this.#name} ended with ${signal ?? code}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Calls an operation. Rejects if it fails, or if the program ends before it is done. */
  async call<Reply>(operation: string, request: unknown, reply: z.ZodType<Reply>): Promise<Reply> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, operation, request }, (error) => {
        if (error !== null) reject(error);
      });
    });
    return reply.parse(await answer);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #settle(message: unknown): void {
    const answer = answerSchema.parse(message);
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(`the ${this.#name}: ${answer.error}`));
    else waiting?.resolve(answer.reply);
  }
}
