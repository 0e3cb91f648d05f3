import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const sampleApp = fileURLToPath(new URL('./testing/sample-app.js', import.meta.url));

/** Runs the sample app with exactly this environment; `signalWhen` sends SIGTERM once that text was printed. */
async function run(
  environment: Record<string, string>,
  options: { args?: string[]; signalWhen?: string } = {},
) {
  const child = spawn(
    process.execPath,
    ['--conditions=wafleet:source', '--import=tsx', sampleApp, ...(options.args ?? [])],
    { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  if (options.signalWhen !== undefined) {
    const { signalWhen } = options;
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes(signalWhen)) child.kill('SIGTERM');
    });
  }
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, exitCode };
}

test('--help prints the variables and ends well', async () => {
  const { stdout, exitCode } = await run({}, { args: ['--help'] });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('GREETING');
});

test('a bad value stops the start with one line and exit code 1', async () => {
  const { stderr, exitCode } = await run({ GREETING: 'x'.repeat(100) });
  expect(exitCode).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stderr)).toMatchObject({
    level: 'fatal',
    app: 'sample',
    msg: `wafleet sample cannot start: GREETING is "${'x'.repeat(100)}"; it takes at most 20 characters.`,
  });
});

test('a failed start undoes what had been started, and exits with 1', async () => {
  const { stdout, stderr, exitCode } = await run({ GREETING: 'fail' });
  expect(exitCode).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({ msg: 'wafleet sample cannot start: failing on purpose' });
  expect(stdout).toContain('second stage stopped');
});

test('SIGTERM stops in stages, the last started first', async () => {
  const { stdout, exitCode } = await run({ GREETING: 'hello' }, { signalWhen: 'started' });
  expect(exitCode).toBe(0);
  expect(stdout.indexOf('second stage stopped')).toBeGreaterThan(0);
  expect(stdout.indexOf('first stage stopped')).toBeGreaterThan(stdout.indexOf('second stage stopped'));
  const lines = stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ msg: 'stopped', exitCode: 0, tookMs: expect.any(Number) }),
  );
});

test('a stage that hangs is given up after its time, and shows in the exit code', async () => {
  const { stdout, exitCode } = await run({ GREETING: 'hang' }, { signalWhen: 'started' });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('not done after 50 ms');
  expect(stdout).toContain('first stage stopped');
});

test('an unhandled promise rejection stops the process', async () => {
  const { stdout, exitCode } = await run({ GREETING: 'reject' });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('rejecting on purpose');
  expect(stdout).toContain('first stage stopped');
});

test('an unhandled promise rejection is only logged if the app asks for that', async () => {
  const { exitCode } = await run(
    { GREETING: 'reject' },
    { args: ['--log-rejections'], signalWhen: 'unhandled promise rejection' },
  );
  expect(exitCode).toBe(0);
});
