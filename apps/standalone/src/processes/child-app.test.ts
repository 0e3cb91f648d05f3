import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@wafleet/local-redis';
import { StartError } from '@wafleet/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChildApp } from './child-app.js';

let dir: string;

/** A program that serves on PORT. Its body runs first and may do something else. */
async function program(name: string, body: string): Promise<string> {
  const path = join(dir, `${name}.mjs`);
  await writeFile(
    path,
    `import { createServer } from 'node:http';
     ${body}
     createServer((request, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1');`,
  );
  return path;
}

async function launch(name: string, body: string, lines: string[] = []): Promise<ChildApp> {
  const port = await freePort();
  return new ChildApp({
    name,
    entry: await program(name, body),
    environment: { PORT: String(port), MARK: 'given' },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    onLine: (from, line) => lines.push(`${from}: ${line}`),
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wafleet-child-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

test('it is ready when it answers, reports its lines, has only the given environment, and stops', async () => {
  const lines: string[] = [];
  const app = await launch(
    'well',
    `console.log(JSON.stringify(Object.keys(process.env).sort()));
     console.error('a warning');
     process.on('SIGTERM', () => process.exit(0));`,
    lines,
  );
  expect(app.isReady).toBe(false);
  await app.ready();
  expect(app.isReady).toBe(true);
  expect(lines.sort()).toEqual(['well: ["MARK","PORT"]', 'well: a warning']);
  await app.stop(10_000);
  expect(await app.ended).toBe('exit code 0');
});

test('a process that ends before it is ready is reported once, with its own message', async () => {
  const lines: string[] = [];
  const app = await launch(
    'ill',
    `console.error(JSON.stringify({ level: 'fatal', msg: 'wafleet edge cannot start: the key is wrong.' }));
     process.exit(3);`,
    lines,
  );
  await expect(app.ready()).rejects.toThrow(
    new StartError('ill cannot start (exit code 3): the key is wrong.'),
  );
  expect(lines).toEqual([]);
});

test('a process that does not stop on request is killed', async () => {
  const app = await launch('stubborn', `process.on('SIGTERM', () => {});`);
  await app.ready();
  await app.stop(100);
  expect(await app.ended).toBe('signal SIGKILL');
});

test('the end of a process that dies is reported', async () => {
  const app = await launch(
    'mortal',
    `process.on('SIGUSR2', () => process.exit(7));
     setInterval(() => process.kill(process.pid, 'SIGUSR2'), 50);`,
  );
  expect(await app.ended).toBe('exit code 7');
});
