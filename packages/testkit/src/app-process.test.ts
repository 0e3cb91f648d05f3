import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@wafleet/local-redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AppProcess } from './app-process.js';
import { observeTests, type StartedProcess } from './observers.js';

/** Behaves like an app of the cluster: logs lines of JSON, serves /readyz, stops on SIGTERM. */
const PROGRAM = `
import { createServer } from 'node:http';
const { PORT, FAILS } = process.env;
const log = (fields) => process.stdout.write(JSON.stringify(fields) + '\\n');
log({ msg: 'starting', environment: Object.keys(process.env).sort() });
if (FAILS) { process.stderr.write('no ' + FAILS + '\\n'); process.exit(3); }
const server = createServer((_, response) => response.end('ok')).listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => { log({ msg: 'stopping' }); server.close(() => process.exit(7)); server.closeAllConnections(); });
`;

let folder: string;
let entry: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wafleet-app-process-test-'));
  entry = join(folder, 'main.mjs');
  await writeFile(entry, PROGRAM);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(environment: Record<string, string> = {}): Promise<AppProcess> {
  const port = await freePort();
  return AppProcess.start({
    name: 'sample',
    entry,
    environment: { PORT: String(port), ...environment },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
}

it('is ready when start resolves, has the given environment only, and stops on SIGTERM', async () => {
  const app = await start();
  expect(app.running).toBe(true);
  expect(app.logs[0]).toEqual({ msg: 'starting', environment: ['PORT'] });

  expect(await app.stop()).toEqual({ code: 7, signal: null });
  expect(app.logs.at(-1)).toEqual({ msg: 'stopping' });
  expect(app.running).toBe(false);
});

it('can be killed, also while it is frozen', async () => {
  const app = await start();
  app.pause();
  expect(await app.kill()).toEqual({ code: null, signal: 'SIGKILL' });
});

it('wakes up to stop when it was frozen', async () => {
  const app = await start();
  app.pause();
  expect(await app.stop()).toEqual({ code: 7, signal: null });
});

it('fails with its exit code and the tail of its log when it cannot start', async () => {
  await expect(start({ FAILS: 'luck' })).rejects.toThrow(/sample ended with 3\n.*\n.*starting.*\n.*no luck/);
});

it('is shown to observers with its command line, its environment and all that it writes', async ({
  onTestFinished,
}) => {
  const started: StartedProcess[] = [];
  let output = '';
  const observer = {
    processStarted: (process: StartedProcess) => {
      started.push(process);
      process.onOutput((chunk) => {
        output += chunk.toString();
      });
    },
    redisStarted: () => {},
    redisEnded: () => {},
  };
  onTestFinished(observeTests(observer));
  const app = await start({ LOG_LEVEL: 'debug' });
  await app.stop();
  expect(started).toMatchObject([{ name: 'sample', environment: { LOG_LEVEL: 'debug' } }]);
  expect(started[0]?.command).toEqual([process.execPath, entry]);
  expect(output).toContain('"msg":"starting"');
  expect(output).toContain('"msg":"stopping"');

  await expect(start({ FAILS: 'luck' })).rejects.toThrow();
  expect(output).toContain('no luck');
});
