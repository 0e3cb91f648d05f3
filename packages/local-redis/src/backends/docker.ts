import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { run, whyItFailed } from '../run.js';
import {
  type FindBackend,
  ownUser,
  REDIS_IMAGE,
  type RunningServer,
  type ServerSettings,
  serverArguments,
} from './backend.js';
import { watchEnd } from './watch-end.js';

const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 300_000;

/**
 * Runs in the container: ends the server in order when the input ends, which it does with this process too, however
 * this process ends. A background job has no input of its own in sh, hence descriptor 3. A server ignores a signal to
 * end while it writes its first append-only file, hence the loop.
 */
const SERVE = `
exec 3<&0
redis-server "$@" &
server=$!
{ cat <&3 >/dev/null; while kill "$server" 2>/dev/null; do sleep 1; done; } &
wait "$server"
`;

/** A container of Docker's, by its command-line program. */
export const inDocker: FindBackend = async ({ searchPath, onProgress }) => {
  try {
    const asked = ['version', '--format', '{{.Server.Version}}'];
    await run('docker', asked, { searchPath, timeoutMs: ENGINE_TIMEOUT_MS });
  } catch (error) {
    return { missing: `no container engine answers: ${whyItFailed(error)}` };
  }
  try {
    await provideImage(searchPath, onProgress);
  } catch (error) {
    return { missing: whyItFailed(error) };
  }
  return {
    backend: {
      description: `${REDIS_IMAGE} in a container`,
      launch: async (settings) => launch(settings, searchPath),
    },
  };
};

async function provideImage(
  searchPath: string | undefined,
  onProgress: (line: string) => void,
): Promise<void> {
  const inspect = ['image', 'inspect', REDIS_IMAGE];
  const isThere = await run('docker', inspect, { searchPath, timeoutMs: ENGINE_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  onProgress(`fetching ${REDIS_IMAGE} with docker pull`);
  await run('docker', ['pull', '--quiet', REDIS_IMAGE], { searchPath, timeoutMs: PULL_TIMEOUT_MS });
}

function launch(settings: ServerSettings, searchPath: string | undefined): RunningServer {
  const { port, dir } = settings;
  const name = `wafleet-redis-${randomUUID()}`;
  const options = [
    ...['--rm', '--interactive', '--name', name],
    ...['--publish', `127.0.0.1:${port}:${port}`, '--volume', `${dir}:/data`],
    ...['--user', ownUser()],
  ];
  const server = ['sh', '-c', SERVE, 'sh', ...serverArguments(settings, '0.0.0.0', '/data')];
  const child = spawn('docker', ['run', ...options, REDIS_IMAGE, ...server], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Not in the terminal's process group: this process stops it, after the programs that still write to it.
    detached: true,
    ...(searchPath === undefined ? {} : { env: { PATH: searchPath } }),
  });
  // A container that has ended reads no input.
  child.stdin.on('error', () => {});
  const ended = watchEnd(child);
  return {
    pid: undefined,
    ended,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
    kill: async () => {
      const kill = ['kill', name];
      // It may have ended by itself.
      await run('docker', kill, { searchPath, timeoutMs: ENGINE_TIMEOUT_MS }).catch(() => {});
      child.stdin.end();
      await ended;
    },
  };
}
