import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { AppProcess, freePort, startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Starts each app on its own, with the program of `npm run <app>` and exactly the given environment. */
const APPS = ['worker', 'placer', 'edge'] as const;
type App = (typeof APPS)[number];

const UNREACHABLE = 'redis://127.0.0.1:1';
const KEY = 'ab'.repeat(32);
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis?.stop();
});

function environmentOf(app: App, url: string): Record<string, string> {
  const common = { REDIS_URL: url, HOST: '127.0.0.1' };
  switch (app) {
    case 'worker':
      return { ...common, HEALTH_PORT: '0', ENCRYPTION_KEY: KEY };
    case 'placer':
      // A test does not ask the real WhatsApp.
      return { ...common, HEALTH_PORT: '0', VERSION_CHECK_EVERY_MS: '0' };
    case 'edge':
      return { ...common, PORT: '0', ADMIN_TOKEN: 'an-admin-token-of-this-test' };
  }
}

function programOf(app: App): string {
  return fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
}

/** Runs the app until it ends by itself. */
async function run(app: App, env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [programOf(app), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}

/** Resolves when the app is ready. */
async function start(app: App): Promise<AppProcess> {
  const port = await freePort();
  return AppProcess.start({
    name: app,
    entry: programOf(app),
    environment: {
      ...environmentOf(app, redis.url),
      [app === 'edge' ? 'PORT' : 'HEALTH_PORT']: String(port),
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
}

describe.each(APPS)('the %s', (app) => {
  test('--help prints its variables', async () => {
    const { stdout, code } = await run(app, {}, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('REDIS_URL');
    expect(stdout).toContain('LOG_LEVEL');
  });

  test('a bad value stops it, and it prints the variable, the value and what is allowed', async () => {
    const { stderr, code } = await run(app, { ...environmentOf(app, redis.url), LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    expect(JSON.parse(stderr).msg).toMatch(
      /^wafleet \w+ cannot start: LOG_LEVEL is "loud"; it takes one of .*$/,
    );
  });

  test('an unreachable Redis stops it with one line', async () => {
    const { stderr, code } = await run(app, environmentOf(app, UNREACHABLE));
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('127.0.0.1:1');
  });

  test('it starts, and SIGTERM stops it with exit code 0', async () => {
    const running = await start(app);
    expect((await running.stop()).code).toBe(0);
  });
});

test('a worker does not start with a key that does not open the stored sessions', async () => {
  const first = await start('worker');
  const other = await run('worker', {
    ...environmentOf('worker', redis.url),
    ENCRYPTION_KEY: 'cd'.repeat(32),
  });
  await first.stop();
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('ENCRYPTION_KEY');
  expect(other.stderr).not.toContain('cdcd');
});

test('a taken port stops the edge with one line that names the variable', async () => {
  const { stderr, code } = await run('edge', {
    ...environmentOf('edge', redis.url),
    PORT: String(redis.port),
  });
  expect(code).toBe(1);
  expect(JSON.parse(stderr).msg).toMatch(/^wafleet edge cannot start: .*PORT.*$/);
});
