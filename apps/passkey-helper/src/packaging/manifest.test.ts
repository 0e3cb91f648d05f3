import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'extension/manifest.json'), 'utf8'));

it('the extension has the version of its package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(manifest.version).toBe(version);
});

it('the extension asks for no permission, and runs on one site only', () => {
  expect(Object.keys(manifest).filter((key) => /permissions|externally|accessible/.test(key))).toEqual([]);
  const scripts: { matches: string[] }[] = manifest.content_scripts;
  expect(scripts.map(({ matches }) => matches)).toEqual([
    ['https://web.whatsapp.com/*'],
    ['https://web.whatsapp.com/*'],
  ]);
});
