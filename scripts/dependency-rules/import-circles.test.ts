import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';
import { findImportCircles } from './import-circles.js';

const folders = ['packages', 'apps']
  .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
  .concat('scenarios', 'benchmarks', 'scripts');

it.each(folders)('no files of %s import each other in a circle, types included', (folder) => {
  expect(findImportCircles(join(ROOT, folder))).toEqual([]);
});

const folder = mkdtempSync(join(tmpdir(), 'wafleet-circles-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a circle is found, of types too, without what leads to it', () => {
  const files = {
    'start.ts': "import { a } from './a.js';",
    'a.ts': "import type {\n  B,\n} from './b.js';",
    'b.ts': "export { c } from './c.js';",
    'c.ts': "import { a } from './a.js';\nimport { d } from './d.js';",
    'd.ts': "import 'node:fs';",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  expect(findImportCircles(folder)).toEqual([['a.ts', 'b.ts', 'c.ts']]);
});
