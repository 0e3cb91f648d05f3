import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedProcess, TestObserver } from '@wafleet/testkit';
import { Recording } from './recording.js';

/** Node.js reports each outgoing connection on this channel, before it is made. */
const CLIENT_SOCKETS = 'net.client.socket';
/** The folder of Redis 7 for its append-only files, and the names of those with commands rather than a snapshot. */
const APPEND_ONLY_FOLDER = 'appendonlydir';
const COMMANDS = /[.]incr[.]aof$/;

interface RecordedProcess {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly output: Recording;
}

/**
 * Records everything that leaves the processes of a run, from its construction on. Tests need not do anything for it.
 * - What each process of the testkit writes to its outputs.
 * - Every byte that this process receives over the network, so everything that a test's clients receive, whichever
 *   library they use.
 * - Every write to the testkit's Redis servers, from their append-only files, including values that were overwritten,
 *   deleted, or written before a crash.
 *
 * Does not record what clients in other processes receive.
 */
export class RunRecord implements TestObserver {
  readonly processes: RecordedProcess[] = [];
  /** What tests have made up, such as the password of a proxy. */
  readonly secretsMade: { readonly name: string; readonly value: string }[] = [];
  #folder: string | undefined;
  #isClosed = false;
  readonly #received: Recording[] = [];
  readonly #redisPorts = new Set<number>();
  /** Of servers that may still run. */
  readonly #redisFolders = new Set<string>();
  /** Copies of append-only files, by the original path. */
  readonly #copies = new Map<string, string>();
  #files = 0;
  #connections = 0;

  constructor() {
    subscribe(CLIENT_SOCKETS, this.#follow);
  }

  /** Whether nothing was started yet. */
  get isEmpty(): boolean {
    return this.processes.length === 0 && this.#redisPorts.size === 0;
  }

  processStarted({ name, command, environment, onOutput }: StartedProcess): void {
    const output = this.#recording(`the output of ${name}`);
    onOutput((chunk) => this.#append(output, chunk));
    this.processes.push({ name, command, environment, output });
  }

  secretMade(secret: { readonly name: string; readonly value: string }): void {
    this.secretsMade.push(secret);
  }

  redisStarted({ port, dir }: { port: number; dir: string }): void {
    this.#redisPorts.add(port);
    this.#redisFolders.add(dir);
  }

  redisEnded({ dir }: { dir: string }): void {
    this.#copyCommands(dir);
    this.#redisFolders.delete(dir);
  }

  /** What this process received, except Redis' answers. One recording per connection. */
  received(): Recording[] {
    return this.#received.filter(({ size }) => size > 0);
  }

  /**
   * The append-only files of all servers, as they are now or were at the end.
   * @throws if there were servers and none of them left a file.
   */
  redisFiles(): Buffer[] {
    for (const dir of this.#redisFolders) this.#copyCommands(dir);
    if (this.#redisPorts.size > 0 && this.#copies.size === 0) {
      throw new Error('no append-only file of Redis was found, so the secrets are unknown');
    }
    return [...this.#copies.values()].map((copy) => readFileSync(copy));
  }

  /** Ends the recording and removes its files. */
  close(): void {
    this.#isClosed = true;
    unsubscribe(CLIENT_SOCKETS, this.#follow);
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #follow = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return;
    const { socket } = message;
    if (!(socket instanceof Socket)) return;
    let recording: Recording | undefined;
    socket.once('connect', () => {
      const { remotePort } = socket;
      if (remotePort === undefined || this.#redisPorts.has(remotePort)) return;
      recording = this.#recording(
        `what came to a client of port ${remotePort}, connection ${++this.#connections}`,
      );
      this.#received.push(recording);
    });
    // Other readers of the socket still get all data, and a socket that they paused stays paused.
    socket.on('data', (chunk: Buffer | string) => {
      if (recording !== undefined) this.#append(recording, Buffer.from(chunk));
    });
  };

  #copyCommands(dir: string): void {
    const folder = join(dir, APPEND_ONLY_FOLDER);
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder).filter((each) => COMMANDS.test(each))) {
      const file = join(folder, name);
      const copy = this.#copies.get(file) ?? this.#newFile();
      // A server that lost the end of its file continues with a shorter one. Keep the longer copy.
      if (this.#copies.has(file) && statSync(copy).size > statSync(file).size) continue;
      copyFileSync(file, copy);
      this.#copies.set(file, copy);
    }
  }

  #append(recording: Recording, chunk: Buffer): void {
    if (!this.#isClosed) recording.append(chunk);
  }

  #recording(name: string): Recording {
    return new Recording(name, () => this.#newFile());
  }

  /** The path of a file that does not exist yet. */
  #newFile(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'wafleet-secret-search-'));
    this.#files += 1;
    return join(this.#folder, String(this.#files));
  }
}
