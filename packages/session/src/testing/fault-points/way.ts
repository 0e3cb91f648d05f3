import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

let folder = '';

/**
 * Sets the folder that all processes share. Each way has a file there of its name: a line for each step, then
 * `halted <pid>` if its process halted. Each step at which a process has halted has one too, `halt.<group>.<step>`.
 */
export function keepIn(path: string): void {
  folder = path;
}

export function pathOf(name: string): string {
  return join(folder, name);
}

/** Creates an empty file. Of all processes that try, one gets true. */
function createOnce(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if (existsSync(path)) return false;
    throw error;
  }
}

interface WayOptions {
  readonly name: string;
  readonly session: string;
  /** Of all ways of a group, one halts at each step. */
  readonly group: string;
  /** Asked at each step. */
  readonly mayHalt: () => boolean;
  /** The command or stanza with which it is over. */
  readonly until?: string | undefined;
}

/**
 * What a process does for one session, as steps: before each command or stanza is sent, and after it was answered or
 * written. At the first step at which no way of its group has halted yet, the process halts for good, in the middle of
 * its work, until its SIGKILL.
 */
export class Way {
  readonly name: string;
  readonly session: string;
  readonly #group: string;
  readonly #mayHalt: () => boolean;
  readonly #until: string | undefined;
  #isOver = false;
  #isLeft = false;
  /** How often each step was passed: some come several times. */
  readonly #passed = new Map<string, number>();

  /** Undefined if another process has begun the way of this name. */
  static begin(options: WayOptions): Way | undefined {
    return createOnce(pathOf(options.name)) ? new Way(options) : undefined;
  }

  private constructor({ name, session, group, mayHalt, until }: WayOptions) {
    this.name = name;
    this.session = session;
    this.#group = group;
    this.#mayHalt = mayHalt;
    this.#until = until;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  hasPassed(label: string): boolean {
    return this.#passed.has(`before ${label}`);
  }

  before(label: string): void {
    this.#pass('before', label);
  }

  after(label: string): void {
    this.#pass('after', label);
    if (label === this.#until) this.#isOver = true;
  }

  /** The step that was begun was refused. If it is tried again, that is the same step. */
  failed(label: string): void {
    if (this.#isLeft) return;
    const step = `before ${label}`;
    this.#passed.set(step, (this.#passed.get(step) ?? 1) - 1);
    this.#write(`failed ${label}`);
  }

  /** Leaves the way to another process, as if it had not begun here. */
  leave(): void {
    this.#isLeft = true;
    rmSync(pathOf(this.name), { force: true });
  }

  #pass(side: 'before' | 'after', label: string): void {
    if (this.#isLeft) return;
    const named = `${side} ${label}`;
    const count = (this.#passed.get(named) ?? 0) + 1;
    this.#passed.set(named, count);
    const step = count === 1 ? named : `${named} #${count}`;
    this.#write(step);
    if (!this.#mayHalt() || !this.#isFirstHaltAt(step)) return;
    this.#write(`halted ${process.pid}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }

  #isFirstHaltAt(step: string): boolean {
    return createOnce(pathOf(`halt.${this.#group}.${encodeURIComponent(step)}`));
  }

  #write(line: string): void {
    appendFileSync(pathOf(this.name), `${line}\n`);
  }
}
