import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, expect, it } from 'vitest';
import { zipFolder } from './zip-folder.js';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function createFolder(names: readonly string[], time: Date): string {
  const folder = mkdtempSync(join(tmpdir(), 'wafleet-zip-'));
  folders.push(folder);
  for (const name of names) {
    writeFileSync(join(folder, name), `content of ${name}`);
    utimesSync(join(folder, name), time, time);
  }
  return folder;
}

it('the same files give the same bytes, whenever and in whatever order they were written', async () => {
  const first = await zipFolder(createFolder(['b.js', 'a.js'], new Date(2020, 1, 1)));
  const second = await zipFolder(createFolder(['a.js', 'b.js'], new Date()));
  expect(second).toEqual(first);
  const files = unzipSync(first);
  expect(Object.keys(files)).toEqual(['a.js', 'b.js']);
  expect(new TextDecoder().decode(files['a.js'])).toBe('content of a.js');
});
