import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { provideFfmpeg } from './ffmpeg.js';

it('finds a program that runs', async () => {
  const path = await provideFfmpeg();
  const { stdout } = await promisify(execFile)(path ?? '', ['-version']);
  expect(stdout).toMatch(/^ffmpeg version/);
});
