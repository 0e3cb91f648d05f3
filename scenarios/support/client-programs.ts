import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@wafleet/testkit';

const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(tmpdir(), `wafleet-programs-${process.pid}`);
const running = new Set<ChildProcess>();

export type Language = 'javascript' | 'json' | 'python' | 'sh';

/** The code blocks of one language in a Markdown document of the project, byte for byte, in their order. */
export function codeBlocks(document: string, language: Language): string[] {
  const text = readFileSync(join(projectRoot, document), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code]) => code ?? '',
  );
}

/** The first Python of this machine that has python-socketio. Tries Debian's own first, which another may shadow. */
export function pythonWithSocketIo(): string | undefined {
  return ['/usr/bin/python3', 'python3'].find(
    (python) => spawnSync(python, ['-c', 'import socketio, requests'], { stdio: 'ignore' }).status === 0,
  );
}

/** A client program that runs as a process of its own. */
export class ClientProgram {
  /** What it printed so far, on both outputs. */
  output = '';
  #exited = false;
  readonly #child: ChildProcess;

  constructor(language: Exclude<Language, 'sh' | 'json'>, code: string, python?: string) {
    const file = join(
      folder,
      `program-${Math.random().toString(36).slice(2)}.${language === 'python' ? 'py' : 'cjs'}`,
    );
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, code);
    const command: [string, ...string[]] =
      language === 'javascript'
        ? [process.execPath, file]
        : [python ?? 'python3', '-u', join(projectRoot, 'scenarios/support/observed-program.py'), file];
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', NODE_PATH: join(projectRoot, 'node_modules') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.#child.once('exit', () => {
      this.#exited = true;
      running.delete(this.#child);
    });
  }

  /** Resolves once everything it printed so far contains each of the texts; rejects with its output otherwise. */
  async prints(texts: readonly string[], timeoutMs = 60_000): Promise<void> {
    const missing = () => texts.filter((text) => !this.output.includes(text));
    await waitFor(() => missing().length === 0 || this.#exited, {
      what: `${JSON.stringify(texts)} printed`,
      timeoutMs,
    }).catch(() => {});
    if (missing().length > 0) {
      throw new Error(`the program did not print ${JSON.stringify(missing())} but:\n${this.output}`);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Ends every program that still runs, and removes their files. */
export function endPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
