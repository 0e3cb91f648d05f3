import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assess, isAtLeast, readNodeVersions } from './node-version.mjs';
import { ROOT } from './root.mjs';

it.each([
  ['20.19.0', '20.19.0', true],
  ['20.20.2', '20.19.0', true],
  ['24.0.0', '20.19.0', true],
  ['20.9.0', '20.19.0', false],
  ['9.11.2', '20.19.0', false],
])('Node %s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});

it.each([
  ['18.20.0', 'refused'],
  ['20.18.3', 'refused'],
  ['20.19.0', undefined],
  ['20.19.6', undefined],
  ['20.21.0', 'untried'],
  ['24.1.0', undefined],
  ['24.23.0', 'untried'],
  ['25.0.0', 'untried'],
])('Node %s is %s', (version, verdict) => {
  expect(assess(version, { oldest: '20.19.0', tried: ['20.19.0', '20.20.2', '24.22.3'] })).toBe(verdict);
});

describe('the versions of this repository', () => {
  const versions = readNodeVersions();
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

  it('include the oldest version, that of the images and those of every run among those that were tried', () => {
    const { oldest, image, everyRun } = versions;
    expect(versions.tried).toEqual(expect.arrayContaining([oldest, image, ...everyRun]));
  });

  it('agree with package.json', () => {
    expect(JSON.parse(read('package.json')).engines.node).toBe(`>=${versions.oldest}`);
  });

  it('agree with every base image of the Dockerfile', () => {
    const bases = [...read('Dockerfile').matchAll(/^FROM node:(\S+)/gm)].map(([, tag]) => tag);
    expect(bases.length).toBeGreaterThan(0);
    expect(new Set(bases)).toEqual(new Set([`${versions.image}-bookworm-slim`]));
  });

  it('agree with the GitHub workflow', () => {
    expect(read('.github/workflows/test.yml')).toContain(`node: [${versions.oldest}, 22, 24, 26]`);
  });
});
