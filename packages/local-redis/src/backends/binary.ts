import { spawn } from 'node:child_process';
import { endWithThisProcess } from '../child-guard.js';
import { run } from '../run.js';
import { type RedisBackend, type RunningServer, type ServerSettings, serverArguments } from './backend.js';
import { watchEnd } from './watch-end.js';

/** A Redis or Valkey server program, and what it needs from its environment. */
export interface ServerBinary {
  /** A path, or a name to look up. */
  program: string;
  searchPath: string | undefined;
  /** The folders of its shared libraries, if they are not the system's. */
  libraryPath?: string;
}

const STOP_AGAIN_MS = 500;

/** Creates a backend from a program after checking that it runs here. Rejects if it does not run. */
export async function binaryBackend(binary: ServerBinary): Promise<RedisBackend> {
  const [program, args] = commandLine(binary, ['--version']);
  const printed = await run(program, args, { searchPath: binary.searchPath, timeoutMs: 5_000 });
  const [, name, version] = /^(\w+) server v=(\S+)/.exec(printed) ?? [];
  if (name === undefined) throw new Error(`${binary.program} --version printed ${JSON.stringify(printed)}`);
  return {
    description: `${name} ${version} from ${binary.program}`,
    launch: async (settings) => launch(binary, settings),
  };
}

function launch(binary: ServerBinary, settings: ServerSettings): RunningServer {
  const [program, args] = commandLine(binary, serverArguments(settings, '127.0.0.1', settings.dir));
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not in the terminal's process group: this process stops it, after the programs that still write to it.
    detached: true,
    ...(binary.searchPath === undefined ? {} : { env: { PATH: binary.searchPath } }),
  });
  endWithThisProcess(child);
  const ended = watchEnd(child);
  return {
    pid: child.pid,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      // A server ignores SIGTERM while it writes its first append-only file, as a replica does after a full sync.
      const again = setInterval(() => child.kill('SIGTERM'), STOP_AGAIN_MS);
      await ended;
      clearInterval(again);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Only the server gets the library path, through env(1): no other program must load those libraries. */
function commandLine(binary: ServerBinary, args: string[]): [program: string, args: string[]] {
  if (binary.libraryPath === undefined) return [binary.program, args];
  return ['/usr/bin/env', [`LD_LIBRARY_PATH=${binary.libraryPath}`, binary.program, ...args]];
}
