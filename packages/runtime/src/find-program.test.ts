import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from './find-program.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wafleet-programs-'));
  for (const name of ['first', 'second', 'first/directory']) await mkdir(join(folder, name));
  for (const name of ['second/tool', 'second/directory', 'first/text', 'first/both', 'second/both']) {
    await writeFile(join(folder, name), '');
    await chmod(join(folder, name), name.endsWith('text') ? 0o600 : 0o700);
  }
});

afterAll(() => rm(folder, { recursive: true }));

const look = (name: string) =>
  findProgram(name, `relative:${folder}/first:${folder}/nowhere:${folder}/second`);

it('finds the first program of the name', async () => {
  expect(await look('tool')).toBe(`${folder}/second/tool`);
  expect(await look('both')).toBe(`${folder}/first/both`);
});

it('passes over what cannot be run', async () => {
  expect(await look('text')).toBeUndefined();
  expect(await look('directory')).toBe(`${folder}/second/directory`);
  expect(await look('nothing')).toBeUndefined();
});

it('takes a name with a slash for a path', async () => {
  expect(await look(`${folder}/first/both`)).toBe(`${folder}/first/both`);
  expect(await look(`${folder}/first/nothing`)).toBeUndefined();
});

it('looks on PATH', async () => {
  expect(await findProgram('sh')).toMatch(/\/sh$/);
});
