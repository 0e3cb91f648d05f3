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

/** A program of ours in a process of its own, whose operations (see `serveOperations`) are called over Node's IPC. */
export class Program {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  /** @param entry the built module. @param args its command line. */
  constructor(name: string, entry: URL, args: readonly string[]) {
    this.#name = name;
    const standardError = 2;
    this.#child = spawn(process.execPath, ['--enable-source-maps', entry.pathname, ...args], {
      stdio: ['ignore', standardError, standardError, 'ipc'],
    });
    endWithThisProcess(this.#child);
    this.#child.on('message', (message) => this.#settle(message));
    this.#child.once('exit', (code, signal) => {
      const error = new Error(`the ${this.#name} ended with ${signal ?? code}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Calls an operation. Rejects when it fails, or when the program ends before it is done. */
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
