import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@wafleet/testkit';

/** Runs the whole cluster and its demo as `npm start` does after its set-up. */
export class Demo {
  output = '';
  readonly #child: ChildProcess;

  /** Resolves at the banner. Rejects with the output if the demo ends or hangs before. */
  static async start(projectRoot: string, environment: Readonly<Record<string, string>>): Promise<Demo> {
    const child = spawn(process.execPath, [join(projectRoot, 'apps/standalone/dist/main.js')], {
      cwd: projectRoot,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const demo = new Demo(child);
    try {
      await waitFor(() => demo.output.includes('import socketio') || child.exitCode !== null, {
        what: 'the banner of the demo',
        timeoutMs: 150_000,
      });
      if (child.exitCode !== null) throw new Error(`the demo ended with ${child.exitCode}`);
      return demo;
    } catch (error) {
      await demo.kill();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${demo.output}`);
    }
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
  }

  /** The ids of all processes that it started, and of those that they started. */
  descendants(): number[] {
    const parents = new Map(
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => {
          const parent = parentOf(name);
          return parent === undefined ? [] : [[Number(name), parent] as const];
        }),
    );
    const descends = (pid: number): boolean => {
      const parent = parents.get(pid);
      return parent !== undefined && (parent === this.#child.pid || descends(parent));
    };
    return [...parents.keys()].filter(descends);
  }

  /** Ctrl-C: the terminal sends SIGINT to every process of the group. Resolves with the exit code. */
  async interrupt(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT');
    const [code] = await exited;
    return code;
  }

  async kill(): Promise<void> {
    const pids = this.descendants();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
  }
}

function parentOf(pid: string): number | undefined {
  try {
    // The command's name is in parentheses and may contain anything. The parent is the second field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[1]);
  } catch {
    return undefined;
  }
}
