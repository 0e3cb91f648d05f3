import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startGuard } from './child-guard.js';

function startSleeper(): ChildProcess {
  return spawn('sleep', ['60'], { stdio: 'ignore' });
}

it('kills the children that are still listed when its input ends', async () => {
  const [first, unlisted, last] = [startSleeper(), startSleeper(), startSleeper()];
  const guard = startGuard();

  for (const { pid } of [first, unlisted, last]) guard.write(`+${pid}\n`);
  guard.write(`-${unlisted.pid}\n`);
  guard.end();

  await Promise.all([once(first, 'exit'), once(last, 'exit')]);
  expect([first.signalCode, last.signalCode]).toEqual(['SIGKILL', 'SIGKILL']);
  expect(unlisted.signalCode).toBeNull();
  unlisted.kill();
  await once(unlisted, 'exit');
});
