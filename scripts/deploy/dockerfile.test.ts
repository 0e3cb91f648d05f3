import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';

const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const stages = dockerfile.split(/\n(?=FROM)/);
const lastStage = stages.at(-1) ?? '';
const mediaStage = stages.find((stage) => / AS edge-media$/m.test(stage)) ?? '';

it('has no error and no warning', () => {
  expect(validate(dockerfile)).toEqual([]);
  expect(validate('FROM node\nRUNN npm install').length).toBeGreaterThan(0);
});

it.each([
  ['all images', lastStage],
  ['the edge with FFmpeg', mediaStage],
])('runs Node 24 as a user other than root, without a shell in between: %s', (_what, stage) => {
  expect(stage).toMatch(/^FROM node:24/m);
  expect(stage).toMatch(/^USER node$/m);
  expect(stage).toMatch(/^CMD \["node", /m);
});

it('has FFmpeg in a stage of its own', () => {
  expect(stages.filter((stage) => /apt-get install .*ffmpeg/.test(stage))).toEqual([mediaStage]);
});

it('lists the apps that can be built', () => {
  const [, list = ''] = /^# APP is (.+)\.$/m.exec(dockerfile) ?? [];
  const folders = list.split(/, | or /);
  expect(folders.length).toBe(4);
  expect(folders.filter((folder) => !existsSync(join(ROOT, folder, 'package.json')))).toEqual([]);
});
