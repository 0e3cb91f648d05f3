import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithThisProcess, extractedProgram, extractProgram, freePort } from '@wafleet/local-redis';
import { PROJECT_ROOT } from './project-root.js';
import { waitFor } from './wait-for.js';

/** The command line of an nginx that this machine can run. */
export type NginxCommand = readonly [program: string, ...args: string[]];

const PACKAGED = {
  packages: ['nginx'],
  path: 'usr/sbin/nginx',
  cacheDir: join(PROJECT_ROOT, '.wafleet/nginx'),
};

/**
 * Finds an nginx: the installed one, else Debian's package, downloaded into the project's folder by apt-get without
 * root. Undefined if neither is available.
 */
export async function findNginx(): Promise<NginxCommand | undefined> {
  // Debian installs it in a folder that is not on the PATH of users other than root.
  const installed = (['nginx', '/usr/sbin/nginx'] as const).find((program) => runs([program]));
  if (installed !== undefined) return [installed];
  const extracted = extractedProgram(PACKAGED) ?? (await extractProgram(PACKAGED).catch(() => undefined));
  if (extracted === undefined) return undefined;
  const command: NginxCommand = [
    '/usr/bin/env',
    `LD_LIBRARY_PATH=${extracted.libraryPath}`,
    extracted.program,
  ];
  return runs(command) ? command : undefined;
}

function runs([program, ...args]: NginxCommand): boolean {
  return spawnSync(program, [...args, '-v'], { stdio: 'ignore' }).status === 0;
}

/** An nginx in front of edges. */
export interface RoundRobin {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Runs deploy/nginx.conf without its sticky sessions: each request goes to the next port, for any client.
 * Resolves once it listens.
 */
export async function startRoundRobin(
  [program, ...args]: NginxCommand,
  ports: readonly number[],
): Promise<RoundRobin> {
  const dir = await mkdtemp(join(tmpdir(), 'wafleet-nginx-'));
  await mkdir(join(dir, 'temp'));
  const port = await freePort();
  await writeFile(join(dir, 'nginx.conf'), configuration({ dir, port, ports }));
  const options = ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')];
  const nginx = spawn(program, [...args, ...options], { stdio: 'ignore', detached: true });
  endWithThisProcess(nginx);
  const stop = async () => {
    await end(nginx);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const url = `http://127.0.0.1:${port}`;
    await waitFor(async () => nginx.exitCode !== null || (await answers(url)), { what: 'nginx listens' });
    if (nginx.exitCode !== null)
      throw new Error(`nginx ended: ${readFileSync(join(dir, 'error.log'), 'utf8')}`);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs one process in the foreground, in a separate folder, instead of a daemon of root. */
function configuration({
  dir,
  port,
  ports,
}: {
  dir: string;
  port: number;
  ports: readonly number[];
}): string {
  const shipped = readFileSync(join(PROJECT_ROOT, 'deploy/nginx.conf'), 'utf8');
  const servers = ports.map((each) => `server 127.0.0.1:${each} max_fails=2 fail_timeout=5s;`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/temp/${name};`,
  );
  const changes: [RegExp, string][] = [
    [/upstream edges \{.*?\n {2}\}/s, `upstream edges { zone edges 64k; ${servers.join(' ')} }`],
    [/listen 80;/, `listen 127.0.0.1:${port};`],
    [/access_log \S+ path_only;/, `access_log off; ${temporary.join(' ')}`],
    [/^/, `daemon off; master_process off; pid ${dir}/nginx.pid;\n`],
  ];
  return changes.reduce((text, [from, to]) => {
    if (!from.test(text)) throw new Error(`deploy/nginx.conf has no ${from.source}`);
    return text.replace(from, to);
  }, shipped);
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(`${url}/healthz`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
