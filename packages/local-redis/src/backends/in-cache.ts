import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { whyItFailed } from '../run.js';
import type { FindBackend } from './backend.js';
import { binaryBackend } from './binary.js';

/** Where the extracted packages stand in the cache folder, laid out as they would be in `/`. */
export const EXTRACTED = 'root';

/** The server that an earlier start extracted into the cache folder. */
export const inCache: FindBackend = async ({ cacheDir, searchPath }) => {
  const root = join(cacheDir, EXTRACTED);
  const program = join(root, 'usr/bin/redis-server');
  if (!existsSync(program)) return { missing: `there is no ${program}` };
  try {
    return { backend: await binaryBackend({ program, searchPath, libraryPath: libraryPath(root) }) };
  } catch (error) {
    return { missing: `${program} does not run: ${whyItFailed(error)}` };
  }
};

/** Debian keeps libraries in one folder per architecture, e.g. `usr/lib/x86_64-linux-gnu`. */
function libraryPath(root: string): string {
  const folders = ['usr/lib', 'lib'].flatMap((parent) => {
    const path = join(root, parent);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => name.endsWith('-linux-gnu') || name.includes('-linux-gnueabi'))
      .map((name) => join(path, name));
  });
  return folders.join(':');
}
