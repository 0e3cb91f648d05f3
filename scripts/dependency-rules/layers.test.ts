import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';
import { foldersWithoutLayer, LAYERS, upwardImports } from './layers.js';

describe.each(Object.entries(LAYERS))('%s', (name, layers) => {
  it('has a layer for each folder', () => {
    expect(foldersWithoutLayer(join(ROOT, name), layers)).toEqual([]);
  });

  it('imports only from lower layers, types included', () => {
    expect(upwardImports(join(ROOT, name), layers)).toEqual([]);
  });
});

const root = mkdtempSync(join(tmpdir(), 'wafleet-layers-'));
afterAll(() => rmSync(root, { recursive: true }));

it('upward imports and folders without a layer are found, and tests may import everything', () => {
  const files = {
    'src/low/a.ts': "import type { B } from '../high/b.js';",
    'src/low/a.test.ts': "import { B } from '../high/b.js';",
    'src/high/b.ts': "import { A } from '../low/a.js';\nimport { c } from '../top.js';",
    'src/top.ts': "import { B } from './high/b.js';",
    'src/unknown/d.ts': '',
    'src/testing/e.ts': "import { B } from '../top.js';",
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  expect(upwardImports(root, ['low', 'high'])).toEqual(['high/b.ts > top.ts', 'low/a.ts > high/b.ts']);
  expect(foldersWithoutLayer(root, ['low', 'high'])).toEqual(['unknown']);
});
