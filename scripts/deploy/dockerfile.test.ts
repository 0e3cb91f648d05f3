import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';

const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'));

it('has no error and no warning', () => {
  expect(validate(dockerfile)).toEqual([]);
  expect(validate('FROM node\nRUNN npm install').length).toBeGreaterThan(0);
});

it('runs Node 24 as a user other than root, without a shell in between', () => {
  expect(lastStage).toMatch(/^FROM node:24/m);
  expect(lastStage).toMatch(/^USER node$/m);
  expect(lastStage).toMatch(/^CMD \["node", /m);
});

it('lists the apps that can be built', () => {
  const [, list = ''] = /^# APP is (.+)\.$/m.exec(dockerfile) ?? [];
  const folders = list.split(/, | or /);
  expect(folders.length).toBe(4);
  expect(folders.filter((folder) => !existsSync(join(ROOT, folder, 'package.json')))).toEqual([]);
});
